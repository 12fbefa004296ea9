"""Channels: what those of a recording have to do with each other,
whether they cancel each other, and whether they carry different speech.
"""
