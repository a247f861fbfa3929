"""Signatures of the installation."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bodydouble.service.signing import InstallationSigner


def test_anybody_verifies_with_the_public_key() -> None:
    """A signature fits its message and no other."""
    signer = InstallationSigner(bytes(32))
    public = Ed25519PublicKey.from_public_bytes(signer.public_key)
    signature = signer.sign(b"message")
    public.verify(signature, b"message")
    with pytest.raises(InvalidSignature):
        public.verify(signature, b"another message")


def test_the_key_follows_from_the_secret() -> None:
    """All machines of an installation have one key; another installation has another."""
    keys = [InstallationSigner(seed).public_key for seed in (bytes(32), bytes(32), b"x" * 32)]
    assert keys[0] == keys[1] != keys[2]
