"""Paths of the dialect."""

PREFIX = "/dashscope"
BASE = f"{PREFIX}/api/v1"
OBJECTS = f"{PREFIX}/objects"
"""Uploads are sent to this path. Its subpaths stand for the uploaded files until a task is created."""
