"""Checking an address by its text alone, without a name lookup, in microseconds."""

import ipaddress
import re
from collections.abc import Callable, Sequence

from bodydouble.outbound.addresses import Address, Network, is_reachable
from bodydouble.outbound.failure import RequestFailed, not_public
from bodydouble.outbound.target import parse_target
from bodydouble.tasks.host_names import HOST_CHARACTERS_MAX, HOST_LENGTHS, LABEL_CHARACTERS_MAX

# A host in brackets, or ending in a digit or in localhost. All other hosts need a name lookup.
_SUSPECT = re.compile(r"https?://(?:\[|[^/?#:]*?(?:[0-9]|localhost)\.?(?::[0-9]*)?(?:[/?#]|\Z))", re.IGNORECASE)
_LONG_HOST = re.compile(
    rf"https?://(?:[^/?#]*?[^/?#.:@\[\]]{{{LABEL_CHARACTERS_MAX + 1}}}|[^/?#:\[]{{{HOST_CHARACTERS_MAX + 2}}})",
    re.IGNORECASE,
)
_LOOPBACK: Sequence[Address] = (ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1"))


def address_check(allowed: Sequence[Network]) -> Callable[[str], str | None]:
    """A function from a URL to the reason why ``GuardedClient`` will refuse it; None if that is not certain.

    The function recognises literal addresses and localhost (RFC 6761). Other names are looked up and checked when the
    request is sent, whatever the function returned.
    """

    def check(url: str) -> str | None:
        if _LONG_HOST.match(url):
            return f"the host name is invalid: {HOST_LENGTHS}."
        if not _SUSPECT.match(url):
            return None
        try:
            target = parse_target(url)
        except RequestFailed as error:
            return error.message
        name = target.host.rstrip(".")
        local = name == "localhost" or name.endswith(".localhost")
        candidates = [target.literal] if target.literal else _LOOPBACK if local else []
        if not candidates or any(is_reachable(address, allowed) for address in candidates):
            return None
        return not_public(target.host)

    return check
