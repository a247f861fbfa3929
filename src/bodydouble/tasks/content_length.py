"""The length of a body that HTTP headers announce."""

from collections.abc import Mapping

DIGITS_MAX = 18
"""Longer numbers are no lengths of files, and Python refuses to read very long ones."""


def announced_bytes(headers: Mapping[str, str]) -> int | None:
    """Bytes that ``Content-Length`` announces; None if it is absent or no number of at most 18 digits.

    ``headers`` find a name in any case, as those of requests and responses do.
    """
    return read_length(headers.get("content-length", ""))


def read_length(text: str) -> int | None:
    """The value of ``Content-Length``; None if it is no number of at most 18 digits."""
    return int(text) if text.isdecimal() and len(text) <= DIGITS_MAX else None
