"""Audio: from the bytes of a recording, whatever they hold,
to clean mono samples.
"""
