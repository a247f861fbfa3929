"""Certificate and key with which this installation signs results."""

import shlex
from pathlib import Path

import platformdirs

from bodydouble.provenance.options import SigningOptions, certificates_in, signer_file
from bodydouble.settings import Settings
from bodydouble.tasks.errors import SigningFailed

FOLDER = "provenance"
"""Folder of the local authority, in the data folder."""
ORGANISATION = "bodydouble installation"
"""The signer's name if the operator gave none; nobody vouches for it."""


def authority_folder(settings: Settings) -> Path:
    """The folder of the service's local authority."""
    return settings.data.resolve() / FOLDER


def signing_options(settings: Settings) -> SigningOptions | None:
    """The signing options of the service; None if results are not signed.

    Without a configured certificate, makes a local authority in the data folder.

    Raises:
        SigningFailed: the authority can be neither read nor made.
    """
    return _options(settings, authority_folder(settings))


def local_signing_options(settings: Settings) -> SigningOptions | None:
    """The signing options of a command at a terminal: those of the service, or a local authority of the user.

    Raises:
        SigningFailed: the authority can be neither read nor made.
    """
    folder = authority_folder(settings)
    if not folder.exists():
        folder = platformdirs.user_data_path("bodydouble", appauthor=False) / FOLDER
    return _options(settings, folder)


def trust_anchors(settings: Settings) -> str:
    """Certificates, in PEM form, of the authorities that this installation trusts: its own, and those configured.

    Files are read each time, and those that cannot be read are left out.
    """
    paths = [settings.provenance_certificate or signer_file(authority_folder(settings)), settings.provenance_trust]
    found: list[str] = []
    for number, path in enumerate(paths):
        try:
            certificates = certificates_in(path.read_text()) if path else []
        except OSError:
            continue
        found += certificates[1:] if number == 0 else certificates  # the first one of a chain is no authority
    return "".join(found)


def _options(settings: Settings, folder: Path) -> SigningOptions | None:
    if not settings.provenance:
        return None
    command = tuple(shlex.split(settings.provenance_command))
    certificate, key = settings.provenance_certificate, settings.provenance_key
    if certificate is None:
        if command or key:
            name = "provenance_command" if command else "provenance_key"
            raise SigningFailed(f"{name} needs provenance_certificate, the file with the signer's certificate chain.")
        certificate = _local_signer(folder)
    return SigningOptions(
        certificate=certificate.resolve(),
        key=key.resolve() if key else None,
        command=command,
        timestamp_url=settings.provenance_timestamp_url,
    )


def _local_signer(folder: Path) -> Path:
    from bodydouble.provenance.authority import make_authority  # loads a library for certificates

    try:
        make_authority(folder, ORGANISATION)
    except OSError as error:
        raise SigningFailed(f"provenance: {folder} cannot be written: {error.strerror}.") from None
    return signer_file(folder)
