"""A certificate authority of this installation's own, for results that no public authority vouches for.

The certificates follow the profile of C2PA 2.x, section "X.509 certificates": a signer is no authority, may sign
only, and has an extended key usage that C2PA allows.
"""

import secrets
import shutil
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bodydouble.provenance.certificates import PEM, key_text, make_certificate, make_key, read_authority, write_secret
from bodydouble.provenance.options import signer_file

VALID_DAYS = 3650
"""Validity of both certificates. Without a timestamp, results cannot be verified after the signer's expires."""
CLOCK_DIFFERENCE = timedelta(minutes=10)
"""Time in the past at which certificates begin, for verifiers whose clock is slow."""
AUTHORITY, AUTHORITY_KEY = "authority.pem", "authority-key.pem"
"""Names in the folder: the root certificate to publish, and its key. The third file is ``options.signer_file``."""


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
        key, name = make_key(), _name(organisation, "bodydouble local authority")
        certificate = make_certificate(key, name, days=VALID_DAYS, clock_difference=CLOCK_DIFFERENCE)
        (part / AUTHORITY).write_bytes(certificate.public_bytes(PEM))
        write_secret(part / AUTHORITY_KEY, key_text(key))
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
    authority = read_authority(folder / AUTHORITY, folder / AUTHORITY_KEY)
    organisation = authority.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value
    key = make_key()
    certificate = make_certificate(
        key,
        _name(str(organisation), "bodydouble results"),
        days=VALID_DAYS,
        clock_difference=CLOCK_DIFFERENCE,
        issuer=authority,
        extensions=[x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])],
    )
    chain = certificate.public_bytes(PEM) + authority.certificate.public_bytes(PEM)
    write_secret(signer_file(folder), key_text(key) + chain.decode())


def _name(organisation: str, name: str) -> x509.Name:
    parts = ((NameOID.ORGANIZATION_NAME, organisation), (NameOID.COMMON_NAME, name))
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts])
