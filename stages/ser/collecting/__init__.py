"""Collecting: speech from the web, fetched, found and cut into utterances,
with where each came from.
"""
