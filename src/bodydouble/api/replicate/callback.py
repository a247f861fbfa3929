"""The format of Replicate's webhooks: https://replicate.com/docs/topics/webhooks."""

from collections.abc import Mapping
from datetime import datetime

from bodydouble.api.replicate.documents import prediction_document
from bodydouble.service.callbacks import CallbackContext
from bodydouble.service.views import TaskView


class ReplicateCallback:
    """The prediction as it is now, with the headers of Standard Webhooks only."""

    def body(self, view: TaskView, context: CallbackContext) -> object:
        """The prediction."""
        return prediction_document(view, context.base_url)

    def headers(self, view: TaskView, body: bytes, moment: datetime, context: CallbackContext) -> Mapping[str, str]:
        """None."""
        return {}
