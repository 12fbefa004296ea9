"""Corpora: from files, archives and tables to labelled clips,
a module a published corpus and the readers beside them.
"""
