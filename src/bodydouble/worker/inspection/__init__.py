"""Inspection of strangers' media in child processes with limits. Nothing is imported here: a child starts with it."""
