"""Review: two revisions of the repository beside each other,
their changes, scores and verdicts for a pull request.
"""
