"""Folds: who trains, who validates and who is tested,
and which clips must stay together.
"""
