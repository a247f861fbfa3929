"""The Python client: run a task and wait for it, or follow, list, cancel and delete tasks.

``Client`` blocks; ``AsyncClient`` is for asyncio. Both work with any service of the crun.ai client API. Imports httpx,
standardwebhooks and the standard library only.
"""

from bodydouble.client.account_info import CallbackInfo, CallbackTry, KeyInfo, NewKey, UsageDay
from bodydouble.client.asynchronous.account import AsyncAccount
from bodydouble.client.asynchronous.client import AsyncClient
from bodydouble.client.asynchronous.result import AsyncResult
from bodydouble.client.asynchronous.task_handle import AsyncTaskHandle
from bodydouble.client.blocking.account import Account
from bodydouble.client.blocking.client import Client
from bodydouble.client.blocking.result import Result
from bodydouble.client.blocking.task_handle import TaskHandle
from bodydouble.client.errors import (
    AuthenticationError,
    ClientError,
    ConnectionFailed,
    FeatureUnavailable,
    InsufficientCredits,
    InvalidRequest,
    InvalidWebhook,
    Maintenance,
    NotFound,
    RateLimited,
    ServerError,
    TransferFailed,
)
from bodydouble.client.media import Media
from bodydouble.client.task_errors import TaskCancelled, TaskFailed, WaitTimeout
from bodydouble.client.task_info import ModelInfo, Price, ReplaceOptions, ResultWarning, TaskInfo, TaskUpdate
from bodydouble.client.webhook import verify_webhook
from bodydouble.tasks.task import TaskStatus

__all__ = [
    "Account",
    "AsyncAccount",
    "AsyncClient",
    "AsyncResult",
    "AsyncTaskHandle",
    "AuthenticationError",
    "CallbackInfo",
    "CallbackTry",
    "Client",
    "ClientError",
    "ConnectionFailed",
    "FeatureUnavailable",
    "InsufficientCredits",
    "InvalidRequest",
    "InvalidWebhook",
    "KeyInfo",
    "Maintenance",
    "Media",
    "ModelInfo",
    "NewKey",
    "NotFound",
    "Price",
    "RateLimited",
    "ReplaceOptions",
    "Result",
    "ResultWarning",
    "ServerError",
    "TaskCancelled",
    "TaskFailed",
    "TaskHandle",
    "TaskInfo",
    "TaskStatus",
    "TaskUpdate",
    "TransferFailed",
    "UsageDay",
    "WaitTimeout",
    "verify_webhook",
]
