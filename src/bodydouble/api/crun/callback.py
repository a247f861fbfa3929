"""The format of callbacks of tasks that were asked for in crun's dialect."""

from collections.abc import Mapping
from datetime import datetime

from bodydouble.service.callbacks import CallbackContext
from bodydouble.service.document import task_data
from bodydouble.service.views import TaskView


class CrunCallback:
    """TaskInfo's ``data``, with the headers of Standard Webhooks only."""

    def body(self, view: TaskView, context: CallbackContext) -> object:
        """TaskInfo's ``data``."""
        return task_data(view)

    def headers(self, view: TaskView, body: bytes, moment: datetime, context: CallbackContext) -> Mapping[str, str]:
        """None."""
        return {}
