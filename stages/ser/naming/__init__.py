"""Naming: what the names of files and folders say of clips:
words for emotions, schemes of codes, layouts.
"""
