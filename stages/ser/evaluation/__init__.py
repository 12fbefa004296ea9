"""Evaluation: scores, intervals, comparisons, calibration and the protocol,
computed from tables alone.
"""
