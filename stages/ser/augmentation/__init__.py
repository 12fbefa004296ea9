"""Augmentation: changed copies of clips, by noise, time scale and channel,
for training only.
"""
