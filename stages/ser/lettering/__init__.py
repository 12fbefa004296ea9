"""Lettering: users' own words in pictures,
in fonts that have their letters.
"""
