"""Keys and certificates of authorities of this installation's own (X.509, RFC 5280)."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bodydouble.tasks.atomic_files import atomic_file

PEM = serialization.Encoding.PEM
Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, kw_only=True)
class Authority:
    """An authority that issues certificates: its certificate and its key."""

    certificate: x509.Certificate
    key: Key


def read_authority(certificate: Path, key: Path) -> Authority:
    """The authority in two PEM files. Raises OSError, ValueError."""
    secret = serialization.load_pem_private_key(key.read_bytes(), None)
    assert isinstance(secret, ec.EllipticCurvePrivateKey)
    return Authority(certificate=x509.load_pem_x509_certificate(certificate.read_bytes()), key=secret)


def make_key() -> Key:
    """A new key on the curve P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def key_text(key: Key) -> str:
    """The key in PEM form (PKCS #8), without a password."""
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    with atomic_file(path) as part:
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(text)


def make_certificate(
    key: Key,
    subject: x509.Name,
    *,
    days: int,
    clock_difference: timedelta,
    issuer: Authority | None = None,
    extensions: Sequence[x509.ExtensionType] = (),
) -> x509.Certificate:
    """A certificate of ``key`` that is valid for ``days``; without an ``issuer`` that of an authority.

    ``clock_difference``: the validity begins so long before now. Machines with slow clocks accept it then.
    """
    now, is_authority, issuer_key = datetime.now(UTC), issuer is None, issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - clock_difference)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None), critical=True)
        .add_extension(_key_usage(signs_certificates=is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
