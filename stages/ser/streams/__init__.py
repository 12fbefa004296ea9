"""Streams: recordings of any length, block by block, of files and of
what a client sends; memory does not grow with them.
"""
