"""A C2PA signer from an installation's certificate and its key or signing command."""

import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from bodydouble.provenance.options import SigningOptions, certificates_in
from bodydouble.tasks.errors import SigningFailed

COMMAND_SECONDS_MAX = 60
PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:EC |RSA )?PRIVATE KEY-----.+?-----END (?:EC |RSA )?PRIVATE KEY-----\n?", re.DOTALL
)
CURVES = {
    "secp256r1": c2pa.C2paSigningAlg.ES256,
    "secp384r1": c2pa.C2paSigningAlg.ES384,
    "secp521r1": c2pa.C2paSigningAlg.ES512,
}


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """A signer's certificate chain, and its key if the installation holds it."""

    chain: str  # PEM, the signer's certificate first
    name: str  # of the signer, for people
    expires: datetime
    algorithm: c2pa.C2paSigningAlg
    key: bytes | None  # PEM, PKCS #8; None: a command signs


def read_credentials(options: SigningOptions) -> Credentials:
    """The installation's credentials, checked. Raises SigningFailed; the message names the setting."""
    try:
        text = options.certificate.read_text()
        key_text = options.key.read_text() if options.key else text
    except OSError as error:
        raise SigningFailed(f"provenance: {error.filename} cannot be read: {error.strerror}.") from None
    blocks = certificates_in(text)
    if not blocks:
        raise SigningFailed(f"provenance_certificate: {options.certificate} has no certificate in PEM form.")
    try:
        certificate = x509.load_pem_x509_certificate(blocks[0].encode())
        algorithm = _algorithm(certificate)
        key = None if options.command else _private_key(key_text, certificate, options)
    except (ValueError, TypeError) as error:
        raise SigningFailed(f"provenance_certificate: {options.certificate} cannot be used: {error}.") from None
    expires = certificate.not_valid_after_utc
    if expires < datetime.now(UTC):
        raise SigningFailed(f"provenance_certificate: {options.certificate} expired on {expires:%Y-%m-%d}; renew it.")
    return Credentials(chain="".join(blocks), name=_name(certificate), expires=expires, algorithm=algorithm, key=key)


class SigningCommand:
    """Signs by an external command. C2PA's library hides errors of its callbacks: ``failure`` has the last one."""

    def __init__(self, command: tuple[str, ...]) -> None:
        self._command = command
        self.failure: SigningFailed | None = None

    def __call__(self, data: bytes) -> bytes:
        """The signature of ``data``. Raises SigningFailed."""
        try:
            return sign_by_command(self._command, data)
        except SigningFailed as error:
            self.failure = error
            raise


def make_signer(credentials: Credentials, command: SigningCommand, timestamp_url: str) -> c2pa.Signer:
    """A signer for one file. ``command`` signs if the installation has no key. Raises c2pa.C2paError."""
    if credentials.key is not None:
        info = c2pa.C2paSignerInfo(
            credentials.algorithm.name.lower().encode(),
            credentials.chain.encode(),
            credentials.key,
            timestamp_url.encode() or None,
        )
        return c2pa.Signer.from_info(info)
    return c2pa.Signer.from_callback(command, credentials.algorithm, credentials.chain, timestamp_url or None)


def sign_by_command(command: tuple[str, ...], data: bytes) -> bytes:
    """The signature that ``command`` writes for ``data``. Raises SigningFailed."""
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=COMMAND_SECONDS_MAX, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SigningFailed(f"provenance_command: {command[0]} did not sign: {error}") from None
    if done.returncode or not done.stdout:
        reason = done.stderr.decode(errors="replace").strip()[-500:]
        raise SigningFailed(f"provenance_command: {command[0]} ended with status {done.returncode}: {reason}")
    return done.stdout


def _private_key(text: str, certificate: x509.Certificate, options: SigningOptions) -> bytes:
    found = PRIVATE_KEY.search(text)
    if found is None:
        raise SigningFailed(
            f"provenance_key: {options.key or options.certificate} has no private key in PEM form without a password."
        )
    key = serialization.load_pem_private_key(found[0].encode(), None)
    if key.public_key() != certificate.public_key():
        raise SigningFailed(f"provenance_key: the key does not belong to the certificate {options.certificate}.")
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _algorithm(certificate: x509.Certificate) -> c2pa.C2paSigningAlg:
    match certificate.public_key():
        case ec.EllipticCurvePublicKey() as key if key.curve.name in CURVES:
            return CURVES[key.curve.name]
        case ed25519.Ed25519PublicKey():
            return c2pa.C2paSigningAlg.ED25519
        case rsa.RSAPublicKey():
            return c2pa.C2paSigningAlg.PS256
        case _:
            raise ValueError("C2PA allows keys on P-256, P-384 or P-521, Ed25519 and RSA")


def _name(certificate: x509.Certificate) -> str:
    for kind in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        if found := certificate.subject.get_attributes_for_oid(kind):
            return str(found[0].value)
    return certificate.subject.rfc4514_string()
