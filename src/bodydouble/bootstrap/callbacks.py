"""The sender of callbacks under an installation's settings: for the dispatcher, and for a test from the console."""

import dataclasses

from bodydouble.outbound import CALLBACK_LIMITS, CallbackSender, GuardedClient
from bodydouble.settings import Settings


def callback_sender(settings: Settings, client: GuardedClient) -> CallbackSender:
    """A sender whose tries take at most ``callback_seconds_max``."""
    seconds = settings.callback_seconds_max
    limits = dataclasses.replace(CALLBACK_LIMITS, seconds_max=seconds, stall_seconds_max=seconds)
    return CallbackSender(client, limits)
