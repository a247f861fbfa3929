"""Domain values from rows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from bodydouble.tasks.account import Account, AccountId, ApiKey, Scope
from bodydouble.tasks.ports import KeyReading
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import ResultCode, StageTime, Task, TaskId, TaskProgress, TaskResult, TaskSource, TaskStatus


def to_account(row: Mapping[str, Any]) -> Account:
    """A row of ``account``."""
    return _account(row, AccountId(row["id"]), row["name"])


def to_owner(row: Mapping[str, Any]) -> tuple[Account, ApiKey]:
    """A row of ``account_for_key`` or ``read_tasks``."""
    account = _account(row, AccountId(row["owner_id"]), row["account_name"])
    key = ApiKey(
        id=row["key_id"],
        account=account.id,
        name=row["key_name"],
        prefix=row["prefix"],
        scope=Scope(row["scope"]),
        disabled=row["key_disabled"],
        created_at=row["key_created_at"],
        last_used_at=row["last_used_at"],
        expires_at=row["expires_at"],
    )
    return account, key


def to_reading(row: Mapping[str, Any]) -> KeyReading:
    """A row of ``read_tasks``."""
    account, key = to_owner(row)
    stages = [
        StageTime(stage=Stage(stage), started_at=datetime.fromisoformat(started_at), seconds=seconds)
        for stage, started_at, seconds in orjson.loads(row["stages"] or b"[]")
    ]
    return KeyReading(account=account, key=key, task=to_task(row) if row["id"] else None, stages=stages)


def _account(row: Mapping[str, Any], account: AccountId, name: str) -> Account:
    return Account(
        id=account,
        name=name,
        balance=row["balance"],
        reserved=row["reserved"],
        active=row["active"],
        disabled=row["disabled"],
        creates_per_minute=row["creates_per_minute"],
        active_max=row["active_max"],
        label=row["label"],
        webhook_generation=row["webhook_generation"],
        webhook_rotations=tuple(row["webhook_rotations"]),
    )


def to_key(row: Mapping[str, Any]) -> ApiKey:
    """A row of ``api_key``."""
    return ApiKey(
        id=row["id"],
        account=AccountId(row["account_id"]),
        name=row["name"],
        prefix=row["prefix"],
        scope=Scope(row["scope"]),
        disabled=row["disabled"],
        created_at=row["created_at"],
        last_used_at=row["last_used_at"],
        expires_at=row["expires_at"],
    )


def to_task(row: Mapping[str, Any]) -> Task:
    """A row of ``task``."""
    deadline: datetime = row["deadline_at"]
    return Task(
        id=TaskId(UUID(int=row["id"].int)),  # the driver's own class compares unequal to Python's
        account=AccountId(row["account_id"]),
        model=row["model"],
        param=orjson.loads(row["param"]),
        inputs=orjson.loads(row["inputs"]),
        status=TaskStatus(row["status"]),
        source=TaskSource(row["source"]),
        credits=row["credits"],
        progress=TaskProgress(
            fraction=row["fraction"], stage=Stage(row["stage"]), segment=row["segment"], segments=row["segments"]
        ),
        result=_result(orjson.loads(row["result"])) if row["result"] else None,
        cancel_requested=row["cancel_requested"],
        callback_url=row["callback_url"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        completed_at=row["completed_at"],
        version=row["version"],
        attempts=row["attempts"],
        executor=row["executor"],
        deadline_at=None if deadline.year >= FOREVER else deadline,
        preview_key=row["preview_key"],
        preview_video_key=row["preview_video_key"],
        media_expires_at=row["media_expires_at"],
        media_deleted_at=row["media_deleted_at"],
        idempotency_key=row["idempotency_key"],
        traceparent=row["traceparent"],
        title=row["title"],
        account_label=row["account_label"],
    )


FOREVER = 9999
"""The year that the driver returns for ``infinity``."""


def from_result(result: TaskResult) -> str:
    """The JSON of a result, as ``to_task`` reads it."""
    document = {
        "code": int(result.code),
        "message": result.message,
        "media_keys": list(result.media_keys),
        "media_info": dict(result.media_info),
    }
    return orjson.dumps(document).decode()


def _result(document: Mapping[str, Any]) -> TaskResult:
    return TaskResult(
        code=ResultCode(document["code"]),
        message=document["message"],
        media_keys=tuple(document["media_keys"]),
        media_info=document["media_info"],
    )
