"""Demo: the synthetic corpus that a fresh clone runs on,
its phonetics and its sound.
"""
