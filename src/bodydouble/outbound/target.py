"""Strict parsing of untrusted URLs. A URL is parsed once, so no second parser can read it differently."""

import ipaddress
import re
from dataclasses import dataclass

import httpx

from bodydouble.outbound.addresses import Address
from bodydouble.outbound.failure import RequestFailed

URL_CHARACTERS_MAX = 8192
_AUTHORITY = re.compile(r"[a-z]+://([^/?#]*)", re.IGNORECASE)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # WHATWG URL: a host whose last label is a number is an IPv4 address
_DEFAULT_PORTS = {"http": 80, "https": 443}
# The bad ports of the Fetch standard from 1024 on, and ports of databases and control interfaces over HTTP or text.
_PORTS_REFUSED = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080}
    | {1433, 1521, 2375, 2376, 2379, 2380, 3306, 5432, 5984, 6379, 6380, 8500, 9200, 9300, 10250, 11211, 27017}
)


@dataclass(frozen=True, kw_only=True)
class Target:
    """The destination of a request."""

    url: httpx.URL  # without credentials and fragment
    host: str  # ASCII, lower case; an IPv6 address without brackets
    port: int
    literal: Address | None  # the host, if it is an IP address

    @property
    def host_header(self) -> str:
        """The value of the Host header."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == _DEFAULT_PORTS[self.url.scheme] else f"{shown}:{self.port}"

    def at(self, address: Address) -> httpx.URL:
        """The URL with the host replaced by one of its addresses."""
        return self.url.copy_with(host=str(address), port=self.port)

    def join(self, location: str) -> "Target":
        """The destination of a redirect. Raises RequestFailed."""
        _check_characters(location)
        try:
            return parse_target(str(self.url.join(location)))
        except (httpx.InvalidURL, ValueError):
            raise RequestFailed("the server redirects to an invalid address.") from None


def parse_target(text: str) -> Target:
    """Parse a URL.

    Raises:
        RequestFailed: not http(s), with credentials, with a refused port, or with ambiguous characters.
    """
    _check_characters(text)
    if len(text) > URL_CHARACTERS_MAX:
        raise RequestFailed(f"the address is longer than {URL_CHARACTERS_MAX} characters.")
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        raise RequestFailed("this is not a valid address.") from None
    authority = _AUTHORITY.match(text)
    if url.scheme not in _DEFAULT_PORTS or authority is None:
        raise RequestFailed("only http:// and https:// addresses are accepted.")
    if "@" in authority[1]:
        raise RequestFailed("the address contains a user name or password; use one without, for example a signed URL.")
    host = url.raw_host.decode("ascii").lower()
    literal = _literal(host)
    port = url.port if url.port is not None else _DEFAULT_PORTS[url.scheme]
    if not (port in (80, 443) or 1024 <= port <= 65535) or port in _PORTS_REFUSED:
        raise RequestFailed(
            f"port {port} is not accepted; use 80, 443, or one from 1024 on that no well-known service uses."
        )
    return Target(url=url.copy_with(fragment=None), host=host, port=port, literal=literal)


def _check_characters(text: str) -> None:
    """Raises RequestFailed for spaces, line ends and backslashes: libraries disagree about them, and attacks use it."""
    if any(c == "\\" or c.isspace() or not c.isprintable() for c in text):
        raise RequestFailed("the address contains a space, a backslash or a control character; percent-encode it.")


def _literal(host: str) -> Address | None:
    """The IP address that ``host`` is; None for a name. Raises RequestFailed for neither."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is not None and "%" not in host:
        return address
    if not _NAME.fullmatch(host) or len(host) > 253:
        raise RequestFailed("the address has an invalid host name.")
    if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        raise RequestFailed(f"the host {host} is a number; write an IPv4 address as four decimal numbers.")
    return None
