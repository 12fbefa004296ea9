"""Annotations: what tables and annotations of a corpus say of its clips,
whatever tool wrote them: a record a clip.
"""
