"""A timestamp authority (RFC 3161) on the loopback: the command `openssl ts` behind HTTP."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bodydouble.provenance.certificates import PEM, key_text, make_certificate, make_key

DAYS = 30
SIGNS_ONLY = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
CONFIGURATION = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
certs = {folder}/authority.pem
signer_key = {folder}/key.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
ess_cert_id_alg = sha256
ess_cert_id_chain = yes
"""


@contextmanager
def timestamp_authority(folder: Path) -> Iterator[str]:
    """The URL of a timestamp authority that runs during the block; its files are in the new ``folder``."""
    folder.mkdir()
    _make_certificates(folder)
    (folder / "serial").write_text("01")
    (folder / "openssl.conf").write_text(CONFIGURATION.format(folder=folder))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query, reply = folder / "query", folder / "reply"
            query.write_bytes(self.rfile.read(int(self.headers["content-length"])))
            command = ["openssl", "ts", "-reply", "-config", folder / "openssl.conf"]
            subprocess.run([*command, "-queryfile", query, "-out", reply], check=True, capture_output=True)
            self.send_response(200)
            self.send_header("content-type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(reply.read_bytes())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _make_certificates(folder: Path) -> None:
    """A root, and a signer whose only use is timestamps: a critical extension, as RFC 3161 (2.3) asks."""
    root, key = make_key(), make_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Timestamps")])
    authority = make_certificate(root, name, days=DAYS, clock_difference=timedelta(minutes=10))
    signer = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Timestamp signer")]))
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(authority.not_valid_before_utc)
        .not_valid_after(authority.not_valid_after_utc)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(SIGNS_ONLY, critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), critical=False)
        .sign(root, hashes.SHA256())
    )
    (folder / "authority.pem").write_bytes(authority.public_bytes(PEM))
    (folder / "signer.pem").write_bytes(signer.public_bytes(PEM))
    (folder / "key.pem").write_text(key_text(key))
