"""The format of fal's webhooks: https://docs.fal.ai/model-apis/model-endpoints/webhooks."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from bodydouble.api.fal.documents import failure_document, result_document
from bodydouble.service.callbacks import CallbackContext
from bodydouble.service.views import TaskView
from bodydouble.tasks.task import TaskStatus


class FalCallback:
    """Output or error of the request, signed with the installation's Ed25519 key."""

    def body(self, view: TaskView, context: CallbackContext) -> object:
        """The body."""
        request_id = str(view.task.id)
        document: dict[str, object] = {"request_id": request_id, "gateway_request_id": request_id}
        if view.task.status is TaskStatus.SUCCESS:
            return document | {"status": "OK", "payload": result_document(view)}
        payload = failure_document(view.task)
        return document | {"status": "ERROR", "error": payload["detail"][0]["msg"], "payload": payload}

    def headers(self, view: TaskView, body: bytes, moment: datetime, context: CallbackContext) -> Mapping[str, str]:
        """The signature of request, account, time and body."""
        request_id, user_id, timestamp = str(view.task.id), str(view.task.account), str(int(moment.timestamp()))
        signed = "\n".join((request_id, user_id, timestamp, hashlib.sha256(body).hexdigest()))
        return {
            "x-fal-webhook-request-id": request_id,
            "x-fal-webhook-user-id": user_id,
            "x-fal-webhook-timestamp": timestamp,
            "x-fal-webhook-signature": context.signer.sign(signed.encode()).hex(),
        }
