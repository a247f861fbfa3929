"""The format of webhooks: https://wavespeed.ai/docs/verify-webhooks."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from bodydouble.api.wavespeed.documents import prediction
from bodydouble.service.callbacks import CallbackContext
from bodydouble.service.views import TaskView


class WavespeedCallback:
    """The prediction, with the vendor's signature in place of that of Standard Webhooks: both have one header."""

    def body(self, view: TaskView, context: CallbackContext) -> object:
        """The prediction."""
        return prediction(view, context.base_url)

    def headers(self, view: TaskView, body: bytes, moment: datetime, context: CallbackContext) -> Mapping[str, str]:
        """The time, and the HMAC-SHA256 of id, time and body.

        The key is the newest secret without ``whsec_``, as text.
        """
        timestamp = str(int(moment.timestamp()))
        signed = b".".join((context.delivery_id.encode(), timestamp.encode(), body))
        key = context.secrets[0].removeprefix("whsec_").encode()
        return {
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v3,{hmac.new(key, signed, hashlib.sha256).hexdigest()}",
        }
