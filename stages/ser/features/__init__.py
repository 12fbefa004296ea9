"""Features: one pass a clip for descriptors, functionals and sequences;
which of their columns belong together, and their statistics.
"""
