"""Probabilities: what is done with a model's probabilities on their way to an
answer: rare emotions, fusion, temperature, certainty.
"""
