"""The format of callbacks: https://docs.kie.ai/common-api/webhook-verification."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from bodydouble.api.kie.documents import record
from bodydouble.service.callbacks import CallbackContext
from bodydouble.service.views import TaskView
from bodydouble.tasks.task import TaskStatus


class KieCallback:
    """recordInfo's response, with a signature of task and time."""

    def body(self, view: TaskView, context: CallbackContext) -> object:
        """The response of recordInfo; its ``code`` says whether the task succeeded."""
        good = view.task.status is TaskStatus.SUCCESS
        message = "success" if good else "The task failed."
        return {"code": 200 if good else 501, "msg": message, "data": record(view)}

    def headers(self, view: TaskView, body: bytes, moment: datetime, context: CallbackContext) -> Mapping[str, str]:
        """The HMAC-SHA256 of task and time. Its key is the text of the newest secret."""
        timestamp = str(int(moment.timestamp()))
        signature = hmac.digest(context.secrets[0].encode(), f"{view.task.id}.{timestamp}".encode(), hashlib.sha256)
        return {
            "x-webhook-timestamp": timestamp,
            "x-webhook-signature": base64.b64encode(signature).decode(),
        }
