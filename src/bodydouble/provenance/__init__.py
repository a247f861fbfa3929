"""Signed provenance (C2PA) of results: the local authority, signing, and reading the marks of any file.

Nothing is imported here: c2pa takes 0.3 s to load, and only processes that sign or read need it.
"""
