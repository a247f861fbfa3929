"""Requests to addresses that callers or the operator gave us."""

from bodydouble.outbound.addresses import parse_networks
from bodydouble.outbound.callbacks import CALLBACK_LIMITS, CallbackSender
from bodydouble.outbound.client import GuardedClient, RequestLimits
from bodydouble.outbound.download import GuardedDownloader
from bodydouble.outbound.literal_hosts import address_check

__all__ = [
    "CALLBACK_LIMITS",
    "CallbackSender",
    "GuardedClient",
    "GuardedDownloader",
    "RequestLimits",
    "address_check",
    "parse_networks",
]
