"""The length of a body that HTTP headers announce."""

DIGITS_MAX = 18
"""Longer numbers are no lengths of files, and Python refuses to read very long ones."""


def parse_content_length(text: str) -> int | None:
    """Bytes that a ``Content-Length`` header announces; None if it is absent or no number of at most 18 digits."""
    return int(text) if text.isdecimal() and len(text) <= DIGITS_MAX else None
