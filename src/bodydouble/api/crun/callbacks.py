"""The callback log of a task, and resending a callback."""

from typing import Any

from fastapi.responses import Response

from bodydouble.api.authentication import CallbacksDep, CallerDep
from bodydouble.api.crun.envelope import success
from bodydouble.api.crun.openapi import responses
from bodydouble.api.crun.prefix import CLIENT_API
from bodydouble.api.crun.response_models import DeliveryList, ResentData
from bodydouble.api.crun.tasks import TaskIdQuery
from bodydouble.api.routing import api_router
from bodydouble.service.document import unix
from bodydouble.tasks.delivery import DeliveryLog

router = api_router(prefix=CLIENT_API, tags=["callbacks"])


@router.get("/job/Callbacks", operation_id="listCallbacks", responses=responses(DeliveryList, 404))
async def callbacks(service: CallbacksDep, caller: CallerDep, task_id: TaskIdQuery) -> Response:
    """List the callbacks of a task, each with the log of its tries."""
    return success({"deliveries": [_delivery_data(log) for log in await service.log(caller, task_id)]})


@router.post("/job/ResendCallback", operation_id="resendCallback", responses=responses(ResentData, 404))
async def resend_callback(service: CallbacksDep, caller: CallerDep, task_id: TaskIdQuery) -> Response:
    """Send the callback of an ended task again now, even if it was delivered. Its `webhook-id` stays the same."""
    return success({"delivery_id": await service.resend(caller, task_id)})


def _delivery_data(log: DeliveryLog) -> dict[str, Any]:
    delivery = log.delivery
    return {
        "id": delivery.id,
        "url": delivery.url,
        "status": delivery.status,
        "tries": delivery.tries,
        "created_at": unix(delivery.created_at),
        "next_try_at": unix(delivery.next_try_at),
        "delivered_at": unix(delivery.delivered_at),
        "log": [
            {"at": unix(t.at), "http_status": t.http_status, "error": t.error, "milliseconds": t.milliseconds}
            for t in log.tries
        ],
    }
