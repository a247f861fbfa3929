"""Options for signing: certificate, key or command, and timestamps."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)


def certificates_in(text: str) -> list[str]:
    """The certificates of a file in PEM form, in their order."""
    return _CERTIFICATE.findall(text)


def signer_file(folder: Path) -> Path:
    """The signer's key with its chain, in the folder of a local authority. One file, so a rotation replaces both."""
    return folder / "signer.pem"


@dataclass(frozen=True, kw_only=True)
class SigningOptions:
    """The certificate, and the key or command that signs with it.

    It names files and holds no secret, so it can cross process borders. Files are read for each signature: a
    replaced file counts from the next result on.
    """

    certificate: Path  # PEM: the signer's certificate, then those of its authorities
    key: Path | None = None  # PEM, PKCS #8; None: the key is in the file of the certificate, or ``command`` signs
    command: tuple[str, ...] = ()  # reads the bytes to sign from standard input, writes the signature
    timestamp_url: str = ""  # RFC 3161; empty: no timestamp

    def to_json(self) -> dict[str, Any]:
        """The options as JSON values for ``from_json``."""
        return asdict(self) | {"certificate": str(self.certificate), "key": str(self.key) if self.key else None}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "SigningOptions":
        """The options from the values of ``to_json``."""
        key = values["key"]
        return cls(
            certificate=Path(values["certificate"]),
            key=Path(key) if key else None,
            command=tuple(values["command"]),
            timestamp_url=values["timestamp_url"],
        )
