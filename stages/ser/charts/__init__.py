"""Charts: pictures of scores and curves as PNG or SVG,
the same bytes for the same tables.
"""
