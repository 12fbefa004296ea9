"""Overview: all clips of a run at a glance,
before any model: a map of them, and the features that tell their emotions apart.
"""
