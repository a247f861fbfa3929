"""What the endpoints answer, for the API's description. What they send is made elsewhere; tests compare the two."""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from bodydouble.tasks.account import Scope
from bodydouble.tasks.credits import TransferKind
from bodydouble.tasks.delivery import DeliveryStatus
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import TaskSource, TaskStatus

TASK_ID = "019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d"
MOMENT = 1767225600
UNIX = "Unix seconds."


def _example(**values: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [values]})


class StageData(BaseModel):
    """A stage that the task has been through."""

    stage: Stage = Field(examples=[Stage.PERCEIVE])
    started_at: float = Field(examples=[MOMENT], description=UNIX)
    seconds: float = Field(examples=[2.4])


class TaskResultData(BaseModel):
    """What a task that is over answers."""

    code: int = Field(
        examples=[200],
        description="200; 402 the exact price was beyond the balance; 422 the media cannot be used; 499 cancelled; "
        "501 the generation failed",
    )
    message: str = Field(examples=["success"])
    media_urls: list[str] | None = Field(None, description="Any HTTP client can GET these, without the key.")
    media_info: dict[str, Any] | None = Field(
        None, examples=[{"renderer": "puppet", "width": 854, "height": 480, "fps": 25.0, "frames": 125, "audio": True}]
    )
    usage: dict[str, Any] | None = Field(None, examples=[{"credits": 30}])


class TaskInfoData(BaseModel):
    """A task; a callback's body is the same."""

    task_id: str = Field(examples=[TASK_ID])
    provider: str = Field(examples=["Wan"])
    model_version: str = Field(examples=["2-2-animate-replace"])
    status: TaskStatus
    param: dict[str, Any] = Field(description="The request as sent.")
    create_at: int = Field(examples=[MOMENT], description=UNIX)
    complete_at: int | None = Field(description=UNIX)
    duration_s: int | None = Field(description="Execution time in seconds.")
    credits: float = Field(examples=[30], description="Reserved, then charged; 0 once failed.")
    source: TaskSource
    result: TaskResultData | None
    progress: float = Field(examples=[0.42], description="0 to 1, only grows.")
    stage: Stage = Field(examples=[Stage.RENDER])
    segment: int | None = Field(description="0-based, of `segments`, within the stage.")
    segments: int | None
    queue_position: int | None = Field(description="How many go before, up to 1000; null once it is not pending.")
    preview_url: str | None = Field(description="A picture of the result so far, while the task runs.")
    expires_at: int | None = Field(description=f"The media are deleted then. {UNIX}")
    deadline: int | None = Field(description=f"Not over by then, the task fails. {UNIX}")
    stages: list[StageData] | None = Field(None, description="TaskInfo only: how long each stage took.")


class TaskListData(BaseModel):
    """A page of tasks, newest first."""

    tasks: list[TaskInfoData]
    next_cursor: str | None = Field(description="Pass it as `cursor` for the next page; null: this was the last.")


class TaskCreated(BaseModel):
    """Answer of CreateTask."""

    model_config = _example(task_id=TASK_ID)
    task_id: str


class CancelData(BaseModel):
    """Answer of CancelTask."""

    model_config = _example(task_id=TASK_ID, cancelling=True)
    task_id: str
    cancelling: bool = Field(description="False where the task was over already.")


class DeleteData(BaseModel):
    """Answer of DeleteTask."""

    model_config = _example(task_id=TASK_ID, deleted=True)
    task_id: str
    deleted: bool


class PriceData(BaseModel):
    """Answer of estimate-credits."""

    model_config = _example(credits=62.5, estimated=True)
    credits: float
    estimated: bool = Field(description="True where nobody has seen the video yet: the price of five seconds.")


class AffordableData(BaseModel):
    """Answer of EstimateTask."""

    model_config = _example(estimated_credits=62.5, balance=9000, affordable=True)
    estimated_credits: float
    balance: float
    affordable: bool


class BalanceData(BaseModel):
    """Answer of balance."""

    model_config = _example(balance=9937.5)
    balance: float


class UploadData(BaseModel):
    """Answer of upload-url."""

    presigned_url: str = Field(description="PUT the bytes here once, with the same Content-Type.")
    file_url: str = Field(description="Name the file by this URL in CreateTask.")
    resumable_url: str | None = Field(
        None, description="Where the file can be sent in pieces by tus 1.0.0; null where it lies in a bucket."
    )


class StoredData(BaseModel):
    """Answer of an upload."""

    model_config = _example(size=1048576)
    size: int = Field(description="Bytes.")


class ModelData(BaseModel):
    """An entry of the catalogue."""

    model: str = Field(examples=["wan/2-2-animate-replace"])
    provider: str
    model_version: str
    title: str
    description: str
    model_type: str
    modality: str
    operations: list[str]
    quality_tier: str
    speed_tier: str
    supports_reference: bool
    supports_native_audio: bool
    routing_priority: int
    enabled: bool
    renderers: list[str]
    price: dict[str, float] = Field(description="Credits for a second of output, by resolution.")


class ModelDetail(ModelData):
    """One model, with the JSON Schema of its input."""

    input_schema: dict[str, Any]
    example: dict[str, Any]


class ModelList(BaseModel):
    """Answer of Models."""

    total: int
    models: list[ModelData]


class TemplatePage(BaseModel):
    """A page of a template catalogue; always empty here."""

    model_config = _example(total=0, page=1, page_size=20, items=[])
    total: int
    page: int
    page_size: int
    items: list[dict[str, Any]]


class KeyData(BaseModel):
    """A key, without its secret."""

    model_config = _example(
        id=2, name="ci", prefix="ak_3f9c1a", scope="all", disabled=False, current=False,
        created_at=MOMENT, last_used_at=None, expires_at=None,
    )  # fmt: skip
    id: int
    name: str
    prefix: str = Field(description="The first characters, to tell keys apart.")
    scope: Scope = Field(description="`read` keys look, and change nothing.")
    disabled: bool
    current: bool = Field(description="The key of this very request.")
    created_at: int = Field(description=UNIX)
    last_used_at: int | None = Field(description=f"To the minute. {UNIX}")
    expires_at: int | None = Field(description=UNIX)


class KeyList(BaseModel):
    """The account's keys, oldest first."""

    keys: list[KeyData]


class NewKeyData(BaseModel):
    """A key with its secret, which is shown this once."""

    key: KeyData
    secret: str = Field(examples=["ak_" + "0" * 32])


class WebhookSecretData(BaseModel):
    """What signs the account's callbacks (Standard Webhooks)."""

    model_config = _example(secret="whsec_" + "A" * 43 + "=", rotated_at=None, former_signs_until=None)
    secret: str
    rotated_at: int | None = Field(description=UNIX)
    former_signs_until: int | None = Field(description=f"Until then the secret before signs too. {UNIX}")


class UsageDayData(BaseModel):
    """What the account used of one model on one day (UTC)."""

    model_config = _example(day="2026-01-01", model="wan/2-2-animate-replace", succeeded=12, failed=1, credits=360)
    day: str
    model: str
    succeeded: int
    failed: int
    credits: float


class UsageData(BaseModel):
    """Usage by day, newest first; days without tasks are left out."""

    days: list[UsageDayData]


class LedgerEntryData(BaseModel):
    """A transfer of credits."""

    model_config = _example(id=17, task_id=TASK_ID, kind="charge", amount=30, memo="", created_at=MOMENT)
    id: int
    task_id: str | None
    kind: TransferKind = Field(description="grant, revoke; reserve at create; release or charge at the end")
    amount: float
    memo: str
    created_at: int = Field(description=UNIX)


class LedgerData(BaseModel):
    """A page of the ledger, newest first."""

    entries: list[LedgerEntryData]
    next_cursor: str | None


class TryData(BaseModel):
    """One try of a callback."""

    model_config = _example(at=MOMENT, http_status=500, error=None, milliseconds=130)
    at: int = Field(description=UNIX)
    http_status: int | None = Field(description="null where no answer came")
    error: str | None
    milliseconds: int


class DeliveryData(BaseModel):
    """A callback with its log."""

    id: str = Field(description="The receiver sees it as `webhook-id`, at every try.")
    url: str = Field(examples=["https://your-domain.com/api/callback"])
    status: DeliveryStatus
    tries: int
    created_at: int = Field(description=UNIX)
    next_try_at: int | None = Field(description=UNIX)
    delivered_at: int | None = Field(description=UNIX)
    log: list[TryData] = Field(description="Oldest first.")


class DeliveryList(BaseModel):
    """A task's callbacks, newest first."""

    deliveries: list[DeliveryData]


class ResentData(BaseModel):
    """Answer of ResendCallback."""

    model_config = _example(delivery_id="7f1a7a55-1b6c-4d0e-9c0f-51b7e1f0a001")
    delivery_id: str


Data = TypeVar("Data", bound=BaseModel)


class Envelope(BaseModel, Generic[Data]):
    """What every good answer comes in."""

    code: int = Field(examples=[200])
    message: str = Field(examples=["success"])
    data: Data


class ErrorEnvelope(BaseModel):
    """What every error comes in."""

    code: int = Field(description="401, 402, 403, 404, 422, 429, 455, 500, 505 or 507")
    message: str
    data: None
    errors: list[str] | None = Field(None, description="422 only: one line for each wrong field.")


class Problem(BaseModel):
    """The same error as RFC 9457 has it, for ``Accept: application/problem+json``."""

    type: str
    title: str
    status: int
    detail: str
    code: int = Field(description="The envelope's code.")
    errors: list[str] | None = None
