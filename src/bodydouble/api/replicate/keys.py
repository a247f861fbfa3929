"""API keys in requests of Replicate's clients."""

from fastapi import Request

from bodydouble.api.authentication import read_key


def replicate_key(request: Request) -> str | None:
    """The API key: ``Authorization: Bearer …``, or ``Token`` as old clients send."""
    return read_key(request) or read_key(request, b"token ")
