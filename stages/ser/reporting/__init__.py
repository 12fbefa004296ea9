"""Reporting: the report and the model card of a run,
their tables, sounds and text.
"""
