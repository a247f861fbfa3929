"""The Python client: run a task and wait for it, or follow, list, cancel and delete tasks.

``Client`` blocks; ``AsyncClient`` is for asyncio. Both work with any service of the crun.ai client API. Imports httpx,
standardwebhooks and the standard library only.
"""

from bodydouble_client.account_info import CallbackInfo, CallbackTry, KeyInfo, NewKey, UsageDay
from bodydouble_client.asynchronous.account import AsyncAccount
from bodydouble_client.asynchronous.client import AsyncClient
from bodydouble_client.asynchronous.result import AsyncResult
from bodydouble_client.asynchronous.task_handle import AsyncTaskHandle
from bodydouble_client.blocking.account import Account
from bodydouble_client.blocking.client import Client
from bodydouble_client.blocking.result import Result
from bodydouble_client.blocking.task_handle import TaskHandle
from bodydouble_client.errors import (
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
from bodydouble_client.media import Media
from bodydouble_client.replace_options import ReplaceOptions
from bodydouble_client.task_errors import TaskCancelled, TaskFailed, WaitTimeout
from bodydouble_client.task_info import ModelInfo, Price, ResultWarning, TaskInfo, TaskUpdate
from bodydouble_client.task_status import TaskStatus
from bodydouble_client.version import __version__
from bodydouble_client.webhook import verify_webhook

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
    "__version__",
    "verify_webhook",
]
