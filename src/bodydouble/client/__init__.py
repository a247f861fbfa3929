"""The Python client: run a replacement and wait for it, or follow, list, cancel and delete tasks.

``Client`` blocks, ``AsyncClient`` is awaited; both speak to any service of the crun.ai client API. Imports httpx,
standardwebhooks and the standard library only.
"""

from bodydouble.client.account import Account, AsyncAccount
from bodydouble.client.account_info import CallbackInfo, CallbackTry, KeyInfo, NewKey, UsageDay
from bodydouble.client.asynchronous import AsyncClient, AsyncTaskHandle
from bodydouble.client.blocking import Client, TaskHandle
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
    TaskCancelled,
    TaskFailed,
    TransferFailed,
    WaitTimeout,
)
from bodydouble.client.media import Media
from bodydouble.client.result import AsyncResult, Result
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
