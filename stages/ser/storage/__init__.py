"""Storage: files written whole, ragged shards, the tables of clips and predictions,
samples as numbers, seeds. What every other room stands on.
"""
