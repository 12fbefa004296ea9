"""Experiments: searches, ablations and listings,
every trial a DVC experiment.
"""
