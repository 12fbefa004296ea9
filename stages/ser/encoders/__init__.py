"""Encoders: pretrained speech encoders, checked before they are loaded,
frozen under a head or fine-tuned.
"""
