"""Prediction: from a model's folder and recordings to probabilities;
imports no trainer.
"""
