"""Fetching: published corpora by download, resumed and checked,
and recorded in DVC.
"""
