"""Adaptation: a model's graph moved to recordings of another room, other people,
another microphone, by what these are like.
"""
