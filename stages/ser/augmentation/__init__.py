"""Augmentation: changed copies of clips, by noise, time scale and channel,
to learn from, and to answer by.
"""
