"""A certificate for TLS on this machine, from an authority of this installation that its own clients can trust."""

import ipaddress
import socket
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bodydouble.provenance.certificates import PEM, key_text, make_certificate, make_key, read_authority, write_secret
from bodydouble.settings import Settings
from bodydouble.tasks.atomic_files import atomic_write

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 398
"""Longest validity that clients on Apple systems accept. Each start of the service issues a new certificate."""
CLOCK_DIFFERENCE = timedelta(days=1)
"""Time in the past at which certificates begin, for machines whose clock is slow."""


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
        key, name = make_key(), _name("bodydouble local authority")
        write_secret(authority_key_file, key_text(key))
        made = make_certificate(key, name, days=AUTHORITY_DAYS, clock_difference=CLOCK_DIFFERENCE)
        atomic_write(files.authority, made.public_bytes(PEM).decode())
    key = make_key()
    write_secret(files.key, key_text(key))
    issued = make_certificate(
        key,
        _name("bodydouble"),
        days=CERTIFICATE_DAYS,
        clock_difference=CLOCK_DIFFERENCE,
        issuer=read_authority(files.authority, authority_key_file),
        extensions=[
            x509.SubjectAlternativeName([_general_name(name) for name in local_names(settings)]),
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        ],
    )
    atomic_write(files.certificate, issued.public_bytes(PEM).decode())
    return files


def local_names(settings: Settings) -> list[str]:
    """Names and addresses under which clients reach the service."""
    names = ["localhost", "127.0.0.1", "::1", settings.host, socket.gethostname()]
    names.append(urlsplit(settings.public_url).hostname or "")
    return list(dict.fromkeys(filter(None, names)))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
