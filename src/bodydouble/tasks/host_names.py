"""Lengths of host names (RFC 1035, section 2.3.4)."""

LABEL_CHARACTERS_MAX = 63
HOST_CHARACTERS_MAX = 253
HOST_LENGTHS = f"at most {LABEL_CHARACTERS_MAX} characters between two dots, {HOST_CHARACTERS_MAX} in all"
"""For error messages."""


def has_valid_length(host: str) -> bool:
    """Whether no label of ``host``, nor the whole, is too long. Non-ASCII names may become longer when encoded."""
    name = host.removesuffix(".")
    return len(name) <= HOST_CHARACTERS_MAX and all(len(label) <= LABEL_CHARACTERS_MAX for label in name.split("."))
