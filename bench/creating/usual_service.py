"""The usual choice of the field, for comparison: FastAPI, SQLAlchemy's ORM, Celery over Redis.

It does the work of our create: key by hash, idempotency key, task row, ledger entry, balance, enqueue. As
usual: a session a request in FastAPI's thread pool, a row lock on the account, ``delay()`` after the commit (so a
crash in between loses the task, which is the usual choice's own fault and not repaired here).
"""

import hashlib
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from celery import Celery
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, HttpUrl
from sqlalchemy import ForeignKey, Numeric, String, UniqueConstraint, create_engine, select
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker

THREADS = 40  # of FastAPI's pool, one connection for each

engine = create_engine(os.environ["USUAL_DATABASE_URL"], pool_size=THREADS, max_overflow=0)
new_session = sessionmaker(engine, expire_on_commit=False)
celery = Celery("usual", broker=os.environ["USUAL_REDIS_URL"])
celery.conf.task_ignore_result = True


class Base(DeclarativeBase):
    """The base of the tables."""


class Account(Base):
    """An account with credits."""

    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String, unique=True)
    balance: Mapped[Decimal] = mapped_column(Numeric(18, 4))
    active: Mapped[int] = mapped_column(default=0)


class ApiKey(Base):
    """An API key, found by its hash."""

    __tablename__ = "api_keys"
    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    account: Mapped[Account] = relationship()


class Task(Base):
    """A task."""

    __tablename__ = "tasks"
    __table_args__ = (UniqueConstraint("account_id", "idempotency_key"),)
    id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True, default=uuid.uuid4)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    model: Mapped[str]
    param: Mapped[dict[str, Any]] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(default="pending")
    credits: Mapped[Decimal] = mapped_column(Numeric(18, 4))
    callback_url: Mapped[str | None]
    idempotency_key: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC).replace(tzinfo=None), index=True)


class LedgerEntry(Base):
    """An entry of the ledger."""

    __tablename__ = "ledger"
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    task_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tasks.id"))
    kind: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(Numeric(18, 4))


class Inputs(BaseModel):
    """The model's input."""

    img_urls: list[HttpUrl]
    video_urls: list[HttpUrl]
    resolution: Literal["480P", "580P", "720P"] = "720P"


class CreateTask(BaseModel):
    """The request."""

    model: str
    callback_url: HttpUrl | None = None
    input: Inputs


PRICES = {"480P": Decimal(30), "580P": Decimal(45), "720P": Decimal("62.5")}
app = FastAPI()


def session() -> Iterator[Session]:
    """A database session for each request."""
    with new_session() as opened:
        yield opened


@celery.task(name="replace")
def replace(task_id: str) -> None:
    """The job of a worker; empty here."""


def caller(key: Annotated[str, Header(alias="x-api-key")], db: Annotated[Session, Depends(session)]) -> int:
    """The account that owns the key."""
    known = db.get(ApiKey, hashlib.sha256(key.encode()).digest())
    if known is None:
        raise HTTPException(401, "invalid key")
    return known.account_id


@app.post("/api/v1/client/job/CreateTask")
def create(
    body: CreateTask,
    account_id: Annotated[int, Depends(caller)],
    db: Annotated[Session, Depends(session)],
    idempotency_key: Annotated[str | None, Header()] = None,
) -> dict[str, Any]:
    """Create a task: check, reserve credits, store, and queue."""
    if idempotency_key:
        known = db.scalar(select(Task).filter_by(account_id=account_id, idempotency_key=idempotency_key))
        if known:
            return {"code": 200, "message": "success", "data": {"task_id": str(known.id)}}
    price = PRICES[body.input.resolution]
    account = db.get_one(Account, account_id, with_for_update=True)
    if account.balance < price:
        raise HTTPException(402, "insufficient credits")
    account.balance -= price
    account.active += 1
    task = Task(
        account_id=account_id,
        model=body.model,
        param=body.model_dump(mode="json"),
        credits=price,
        callback_url=str(body.callback_url) if body.callback_url else None,
        idempotency_key=idempotency_key,
    )
    db.add(task)
    db.flush()
    db.add(LedgerEntry(account_id=account_id, task_id=task.id, kind="reserve", amount=price))
    db.commit()
    replace.delay(str(task.id))
    return {"code": 200, "message": "success", "data": {"task_id": str(task.id)}}


@app.get("/api/v1/client/job/TaskInfo")
def info(
    task_id: uuid.UUID, account_id: Annotated[int, Depends(caller)], db: Annotated[Session, Depends(session)]
) -> dict[str, Any]:
    """The state of one task."""
    task = db.get(Task, task_id)
    if task is None or task.account_id != account_id:
        raise HTTPException(404, "Task not found")
    data = {"task_id": str(task.id), "status": task.status, "param": task.param, "credits": float(task.credits)}
    return {"code": 200, "message": "success", "data": data | {"create_at": int(task.created_at.timestamp())}}
