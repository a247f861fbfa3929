"""Paths of the dialect."""

PREFIX = "/kie"
BASE = f"{PREFIX}/api/v1"
UPLOADS = f"{PREFIX}/api"
