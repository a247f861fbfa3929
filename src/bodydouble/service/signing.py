"""Signatures of the installation, which anybody can verify with its public key."""

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class InstallationSigner:
    """Signs with the installation's Ed25519 key (RFC 8032), which is derived from its secret."""

    def __init__(self, seed: bytes) -> None:
        """``seed``: 32 secret bytes, the same on all machines of the installation."""
        self._seed = seed

    @cached_property
    def _key(self) -> "Ed25519PrivateKey":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # slow, and rarely needed

        return Ed25519PrivateKey.from_private_bytes(self._seed)

    @cached_property
    def public_key(self) -> bytes:
        """The 32 bytes of the public key."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature."""
        return self._key.sign(message)
