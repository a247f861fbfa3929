"""A certificate of a local authority."""

import ssl
from pathlib import Path

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from bodydouble.bootstrap.local_certificate import make_local_certificate
from bodydouble.settings import Settings


def test_a_client_that_trusts_the_authority_trusts_every_certificate_of_it(tmp_path: Path) -> None:
    """Each start has a new certificate for all names of the service; the authority stays, and keys are private."""
    settings = Settings(data=tmp_path, public_url="https://studio.example:8443")
    first = make_local_certificate(settings)
    authority = first.authority.read_bytes()
    second = make_local_certificate(settings)
    assert second.authority.read_bytes() == authority
    certificate = x509.load_pem_x509_certificate(second.certificate.read_bytes())
    store = Store([x509.load_pem_x509_certificate(authority)])
    for name in ("localhost", "studio.example"):
        PolicyBuilder().store(store).build_server_verifier(x509.DNSName(name)).verify(certificate, [])
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(second.certificate, second.key)
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.glob("tls/*key.pem"))


def test_links_are_https_with_a_certificate(tmp_path: Path) -> None:
    """Unless the operator says under which address clients reach the service."""
    assert Settings(tls_cert=tmp_path / "c.pem").base_url == "https://127.0.0.1:8000"
    assert Settings(tls_cert=tmp_path / "c.pem", public_url="http://a.example").base_url == "http://a.example"
