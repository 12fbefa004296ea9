"""Fusion: one ensemble out of several models, by pooling, weights or stacking,
learnt on validation rows only.
"""
