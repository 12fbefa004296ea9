"""Explaining: which stretches of time and which groups of features spoke for an
answer, as numbers and as a picture.
"""
