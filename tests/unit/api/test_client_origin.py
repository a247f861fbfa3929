"""Links start with the host that the client used."""

import httpx
import pytest
from fastapi import FastAPI

from bodydouble.api.client_origin import AllowedHosts

pytestmark = pytest.mark.anyio
HOSTS = AllowedHosts.parse(["Studio.local", "192.168.0.0/16", "::1/128"])


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("studio.local:8000", "http://studio.local:8000"),
        ("STUDIO.local", "http://studio.local"),
        ("192.168.1.7:80", "http://192.168.1.7:80"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("elsewhere.example", None),
        ("10.0.0.1:8000", None),
        ("", None),
        ("studio.local:port", None),
        ("studio.local/path", None),
        ("name@studio.local", None),
        ("[::1", None),
    ],
)
def test_only_allowed_hosts_are_named(host: str, origin: str | None) -> None:
    """A name or an address of an allowed network, with its port; everything else is not repeated."""
    assert HOSTS.origin("http", host.encode("latin-1")) == origin


def test_the_scheme_is_that_of_the_request() -> None:
    """A proxy's forwarded scheme reaches it through the server, which trusts configured proxies only."""
    assert HOSTS.origin("https", b"studio.local") == "https://studio.local"


async def test_links_name_the_host_of_the_request(app: FastAPI, key: str) -> None:
    """The same upload has a link for each host that a client used; all of them are the service's own."""
    links: dict[str, str] = {}
    for host in ("localhost:8123", "127.0.0.1:9000", "elsewhere.example"):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            answer = await client.get(
                "/api/v1/client/files/upload-url",
                params={"content_type": "image/png", "ext": ".png"},
                headers={"x-api-key": key},
            )
        links[host] = answer.json()["data"]["file_url"]
        assert await app.state.files.own_key(links[host])
    assert links["localhost:8123"].startswith("http://localhost:8123/files/")
    assert links["127.0.0.1:9000"].startswith("http://127.0.0.1:9000/files/")
    assert links["elsewhere.example"].startswith("http://127.0.0.1:8000/files/"), "the configured address"
