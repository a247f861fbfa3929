"""Paths of the dialect."""

PREFIX = "/wavespeed"
BASE = f"{PREFIX}/api/v3"
MODEL = "wavespeed-ai/wan-2.2/animate"
