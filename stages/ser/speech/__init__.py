"""Speech: where in a recording somebody speaks, found as the samples come in,
and cut at pauses into utterances.
"""
