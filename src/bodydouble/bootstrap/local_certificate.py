"""A certificate for TLS on this machine, from an authority of this installation that its own clients can trust."""

import ipaddress
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bodydouble.settings import Settings
from bodydouble.tasks.atomic_files import atomic_write

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 398
"""Longest validity that clients on Apple systems accept. Each start of the service issues a new certificate."""
CLOCK_DIFFERENCE = timedelta(days=1)
PEM = serialization.Encoding.PEM


@dataclass(frozen=True, kw_only=True)
class LocalCertificate:
    """Files of a certificate."""

    certificate: Path
    key: Path
    authority: Path  # what clients have to trust


def make_local_certificate(settings: Settings) -> LocalCertificate:
    """A new certificate for this machine's names, in the folder ``tls`` of the data folder. Raises OSError.

    Its authority is made once, so that clients trust the certificates of later starts too.
    """
    folder = settings.data / "tls"
    files = LocalCertificate(
        certificate=folder / "certificate.pem", key=folder / "key.pem", authority=folder / "authority.pem"
    )
    authority_key_file = folder / "authority-key.pem"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not files.authority.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        _write_key(authority_key_file, key)
        atomic_write(files.authority, _authority(key).public_bytes(PEM).decode())
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    authority_key = serialization.load_pem_private_key(authority_key_file.read_bytes(), None)
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    _write_key(files.key, key)
    issued = _issue(key, local_names(settings), authority, authority_key)
    atomic_write(files.certificate, issued.public_bytes(PEM).decode())
    return files


def local_names(settings: Settings) -> list[str]:
    """Names and addresses under which clients reach the service."""
    names = ["localhost", "127.0.0.1", "::1", settings.host, socket.gethostname()]
    names.append(urlsplit(settings.public_url).hostname or "")
    return list(dict.fromkeys(filter(None, names)))


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name("bodydouble local authority")
    usage = _usage(signs_certificates=True)
    builder = _builder(key, name, name, AUTHORITY_DAYS).add_extension(usage, critical=True)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.sign(key, hashes.SHA256())


def _issue(
    key: ec.EllipticCurvePrivateKey,
    names: Sequence[str],
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    builder = _builder(key, _name("bodydouble"), authority.subject, CERTIFICATE_DAYS)
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.SubjectAlternativeName([_general_name(name) for name in names]), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(signs_certificates=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), False),
    ]
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(authority_key, hashes.SHA256())


def _builder(
    key: ec.EllipticCurvePrivateKey, subject: x509.Name, issuer: x509.Name, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - CLOCK_DIFFERENCE)
    builder = builder.not_valid_after(now + timedelta(days=days))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Write a key that only its owner can read, from its first byte on."""
    content = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
    part.replace(path)
