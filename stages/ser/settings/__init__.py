"""Settings: the schema of params.yaml section by section, its loading,
and single settings by dotted key.
"""
