"""A certificate authority of this installation's own, for results that no public authority vouches for.

The certificates follow the profile of C2PA 2.x, section "X.509 certificates": a signer is no authority, may sign
only, and has an extended key usage that C2PA allows.
"""

import os
import secrets
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bodydouble.tasks.atomic_files import atomic_file

VALID_DAYS = 3650
"""Of both certificates: without a timestamp, results cannot be verified after the signer's end."""
CLOCK_DIFFERENCE = timedelta(minutes=10)
"""Certificates begin so much in the past, for verifiers whose clock is slow."""
PEM = serialization.Encoding.PEM

AUTHORITY, AUTHORITY_KEY, SIGNER = "authority.pem", "authority-key.pem", "signer.pem"
"""Names in the folder: the root certificate to publish, its key, and the signer's key with its chain.

Key and chain of the signer are one file, so that a rotation replaces both at once.
"""


def signer_file(folder: Path) -> Path:
    """The file of the signer in the authority's ``folder``."""
    return folder / SIGNER


def make_authority(folder: Path, organisation: str) -> None:
    """Make an authority and its signer in the new ``folder``. Keeps an authority that is there already.

    Keys are readable by their owner only. Raises OSError.
    """
    if signer_file(folder).exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}-{secrets.token_hex(8)}")
    part.mkdir(mode=0o700)
    try:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(key, key, organisation, "bodydouble local authority", None)
        (part / AUTHORITY).write_bytes(certificate.public_bytes(PEM))
        _write_secret(part / AUTHORITY_KEY, _key_text(key))
        issue_signer(part)
        try:
            part.rename(folder)
        except OSError:  # another process of the installation was faster, and may have signed with its key already
            if not signer_file(folder).exists():
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def issue_signer(folder: Path) -> None:
    """Give the authority in ``folder`` a new signer. It signs from the next result on. Raises OSError, ValueError."""
    authority = x509.load_pem_x509_certificate((folder / AUTHORITY).read_bytes())
    authority_key = serialization.load_pem_private_key((folder / AUTHORITY_KEY).read_bytes(), None)
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    organisation = authority.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key, authority_key, str(organisation), "bodydouble results", authority)
    chain = certificate.public_bytes(PEM) + authority.public_bytes(PEM)
    _write_secret(signer_file(folder), _key_text(key) + chain.decode())


def _write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    with atomic_file(path) as part:
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(text)


def _key_text(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(PEM, form, serialization.NoEncryption()).decode()


def _certificate(
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    organisation: str,
    name: str,
    issuer: x509.Certificate | None,
) -> x509.Certificate:
    """A certificate of ``key``. ``issuer``: the authority; None for the authority's own."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_DIFFERENCE)
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None if issuer else 0), critical=True)
        .add_extension(_key_usage(signs_certificates=issuer is None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if issuer is not None:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(usage, critical=False)
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
