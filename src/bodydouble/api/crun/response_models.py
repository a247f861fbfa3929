"""Pydantic models of the responses, for OpenAPI only. The endpoints build their data; tests compare the two."""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from bodydouble.tasks.account import Scope
from bodydouble.tasks.credits import TransferKind
from bodydouble.tasks.delivery import DeliveryStatus
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import TaskSource, TaskStatus

TASK_ID = "019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d"
MOMENT = 1767225600
"""Unix seconds of 2026-01-01 00:00 UTC, the time in all examples."""
UNIX = "Unix seconds."
PRODUCED = "The class of the output, which sets the price: less than the requested one if the file is smaller."


def _example(**values: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [values]})


class StageData(BaseModel):
    """A completed stage of a task."""

    stage: Stage = Field(examples=[Stage.PERCEIVE])
    started_at: float = Field(examples=[MOMENT], description=UNIX)
    seconds: float = Field(examples=[2.4])


class TaskResultData(BaseModel):
    """The result of an ended task."""

    code: int = Field(
        examples=[200],
        description="200: success; 402: the exact price exceeded the balance; 422: the media cannot be used; "
        "499: cancelled; 501: generation failed",
    )
    message: str = Field(examples=["success"])
    media_urls: list[str] | None = Field(None, description="URLs that any HTTP client can GET without an API key.")
    media_info: dict[str, Any] | None = Field(
        None, examples=[{"renderer": "puppet", "width": 854, "height": 480, "fps": 25.0, "frames": 125, "audio": True}]
    )
    usage: dict[str, Any] | None = Field(None, examples=[{"credits": 30}])


class TaskInfoData(BaseModel):
    """A task. The body of a callback has the same fields."""

    task_id: str = Field(examples=[TASK_ID])
    provider: str = Field(examples=["Wan"])
    model_version: str = Field(examples=["2-2-animate-replace"])
    status: TaskStatus
    param: dict[str, Any] = Field(description="The request as sent.")
    create_at: int = Field(examples=[MOMENT], description=UNIX)
    complete_at: int | None = Field(description=UNIX)
    duration_s: int | None = Field(description="Execution time in seconds.")
    credits: float = Field(examples=[30], description="Credits reserved, then charged; 0 after a failure.")
    source: TaskSource
    result: TaskResultData | None
    progress: float = Field(examples=[0.42], description="Fraction from 0 to 1; never decreases.")
    stage: Stage = Field(examples=[Stage.RENDER])
    segment: int | None = Field(description="Current segment of the stage, from 0 to `segments` - 1.")
    segments: int | None
    queue_position: int | None = Field(
        description="Number of tasks ahead in the queue, up to 1000; null unless pending."
    )
    preview_url: str | None = Field(description="Image of the latest rendered frame while the task runs.")
    preview_video_url: str | None = Field(
        description="The rendered part as a small, silent MP4 (H.264). It grows while the task runs."
    )
    expires_at: int | None = Field(description=f"Time when the media are deleted. {UNIX}")
    deadline: int | None = Field(description=f"Time when the task fails if it has not ended. {UNIX}")
    stages: list[StageData] | None = Field(None, description="Duration of each stage; in TaskInfo only.")


class TaskListData(BaseModel):
    """A page of tasks, newest first."""

    tasks: list[TaskInfoData]
    next_cursor: str | None = Field(description="Value of `cursor` for the next page; null on the last page.")


class TaskCreated(BaseModel):
    """Response of CreateTask."""

    model_config = _example(task_id=TASK_ID)
    task_id: str


class CancelData(BaseModel):
    """Response of CancelTask."""

    model_config = _example(task_id=TASK_ID, cancelling=True)
    task_id: str
    cancelling: bool = Field(description="False if the task had already ended.")


class DeleteData(BaseModel):
    """Response of DeleteTask."""

    model_config = _example(task_id=TASK_ID, deleted=True)
    task_id: str
    deleted: bool


class PriceData(BaseModel):
    """Response of estimate-credits."""

    model_config = _example(credits=62.5, estimated=True, resolution="720P")
    credits: float
    estimated: bool = Field(
        description="True if the video was not inspected; `credits` is then the price of five seconds."
    )
    resolution: str = Field(description=PRODUCED)


class AffordableData(BaseModel):
    """Response of EstimateTask."""

    model_config = _example(estimated_credits=62.5, balance=9000, affordable=True, resolution="720P")
    estimated_credits: float
    balance: float
    affordable: bool
    resolution: str = Field(description=PRODUCED)


class BalanceData(BaseModel):
    """Response of balance."""

    model_config = _example(balance=9937.5)
    balance: float


class UploadData(BaseModel):
    """Response of upload-url."""

    presigned_url: str = Field(description="PUT the file to this URL once, with the same Content-Type.")
    file_url: str = Field(description="URL of the file for CreateTask.")
    resumable_url: str | None = Field(
        None, description="URL for a resumable upload with tus 1.0.0; null if files are stored in a bucket."
    )


class StoredData(BaseModel):
    """Response of an upload."""

    model_config = _example(size=1048576)
    size: int = Field(description="Size in bytes.")


class ModelData(BaseModel):
    """A model of the catalogue."""

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
    price: dict[str, float] = Field(description="Credits per second of output, by resolution.")


class ModelDetail(ModelData):
    """A model with the JSON Schema of its input."""

    input_schema: dict[str, Any]
    required_input_fields: list[str] = Field(description="Names of the inputs that `input_schema` requires.")
    example: dict[str, Any]


class ModelList(BaseModel):
    """Response of Models."""

    total: int
    models: list[ModelData]


class TemplatePage(BaseModel):
    """A page of templates; always empty."""

    model_config = _example(total=0, page=1, page_size=20, items=[])
    total: int
    page: int
    page_size: int
    items: list[dict[str, Any]]


class KeyData(BaseModel):
    """An API key without its secret."""

    model_config = _example(
        id=2, name="ci", prefix="ak_3f9c1a", scope="all", disabled=False, current=False,
        created_at=MOMENT, last_used_at=None, expires_at=None,
    )  # fmt: skip
    id: int
    name: str
    prefix: str = Field(description="First characters of the key, to tell keys apart.")
    scope: Scope = Field(description="`read` keys can read but not change anything.")
    disabled: bool
    current: bool = Field(description="True for the key of this request.")
    created_at: int = Field(description=UNIX)
    last_used_at: int | None = Field(description=f"Accurate to one minute. {UNIX}")
    expires_at: int | None = Field(description=UNIX)


class KeyList(BaseModel):
    """The account's keys, oldest first."""

    keys: list[KeyData]


class NewKeyData(BaseModel):
    """A new API key with its secret, which is returned only once."""

    key: KeyData
    secret: str = Field(examples=["ak_" + "0" * 32])


class WebhookSecretData(BaseModel):
    """The secret that signs the account's callbacks (Standard Webhooks)."""

    model_config = _example(secret="whsec_" + "A" * 43 + "=", rotated_at=None, former_signs_until=None)
    secret: str
    rotated_at: int | None = Field(description=UNIX)
    former_signs_until: int | None = Field(
        description=f"Until this time callbacks are also signed with the previous secret. {UNIX}"
    )


class UsageDayData(BaseModel):
    """Usage of one model on one day (UTC)."""

    model_config = _example(day="2026-01-01", model="wan/2-2-animate-replace", succeeded=12, failed=1, credits=360)
    day: str
    model: str
    succeeded: int
    failed: int
    credits: float


class UsageData(BaseModel):
    """Usage by day, newest first, without days that have no tasks."""

    days: list[UsageDayData]


class LedgerEntryData(BaseModel):
    """A transfer of credits."""

    model_config = _example(id=17, task_id=TASK_ID, kind="charge", amount=30, memo="", created_at=MOMENT)
    id: int
    task_id: str | None
    kind: TransferKind = Field(
        description="`grant`, `revoke`: by the operator; `reserve`: at creation; `release`, `charge`: at the end"
    )
    amount: float
    memo: str
    created_at: int = Field(description=UNIX)


class LedgerData(BaseModel):
    """A page of the ledger, newest first."""

    entries: list[LedgerEntryData]
    next_cursor: str | None


class TryData(BaseModel):
    """One try to deliver a callback."""

    model_config = _example(at=MOMENT, http_status=500, error=None, milliseconds=130)
    at: int = Field(description=UNIX)
    http_status: int | None = Field(description="null if no response arrived")
    error: str | None
    milliseconds: int


class DeliveryData(BaseModel):
    """A callback and its delivery log."""

    id: str = Field(description="Sent to the receiver as `webhook-id`, the same at every try.")
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
    """Response of ResendCallback."""

    model_config = _example(delivery_id="7f1a7a55-1b6c-4d0e-9c0f-51b7e1f0a001")
    delivery_id: str


class PersonData(BaseModel):
    """A person's box: left and upper edge, width and height, as shares of the frame (0 to 1)."""

    x: float = Field(examples=[0.3])
    y: float = Field(examples=[0.1])
    width: float = Field(examples=[0.4])
    height: float = Field(examples=[0.9])


class PeopleData(BaseModel):
    """The people at the start of a video, largest first."""

    people: list[PersonData]
    picture: str = Field(description="A data URL of the frame with a number on each person; empty if nobody is seen.")


class MarksData(BaseModel):
    """What a file says about its origin."""

    layers: list[dict[str, Any]] = Field(
        examples=[[{"layer": "c2pa", "state": "valid", "signer": "Example Studios", "generated": True}]],
        description="Each mark found: `layer` is c2pa, xmp, aigc or comment. A manifest's `state` is trusted, valid "
        "(unchanged, by an unknown signer) or invalid.",
    )
    generated: bool | None = Field(description="False needs a valid signature; null: nothing is known.")
    task_id: str | None = Field(description="Your task that made this file.")


Data = TypeVar("Data", bound=BaseModel)


class Envelope(BaseModel, Generic[Data]):
    """The envelope of every successful response."""

    code: int = Field(examples=[200])
    message: str = Field(examples=["success"])
    data: Data


class ErrorEnvelope(BaseModel):
    """The envelope of every error."""

    code: int = Field(description="401, 402, 403, 404, 422, 429, 455, 500, 505 or 507")
    message: str
    data: None
    errors: list[str] | None = Field(None, description="With 422 only: one line for each invalid field.")


class Problem(BaseModel):
    """The same error in the form of RFC 9457, sent for ``Accept: application/problem+json``."""

    type: str
    title: str
    status: int
    detail: str
    code: int = Field(description="The `code` of the envelope.")
    errors: list[str] | None = None
