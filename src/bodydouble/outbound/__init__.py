"""Every request to somebody else's address."""

from bodydouble.outbound.addresses import parse_networks
from bodydouble.outbound.download import GuardedDownloader

__all__ = ["GuardedDownloader", "parse_networks"]
