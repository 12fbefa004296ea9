"""Timelines: who felt what when in a long recording, as data, in the formats of
the tools that such recordings are annotated with, and as a picture.
"""
