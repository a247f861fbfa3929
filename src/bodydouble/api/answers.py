"""What the operations answer, for the API's description."""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field

from bodydouble.tasks.task import TaskStatus


class TaskResultData(BaseModel):
    """What a finished task answers."""

    code: int = Field(examples=[200])
    message: str = Field(examples=["success"])
    media_urls: list[str] | None = None
    media_info: dict[str, Any] | None = None


class TaskInfoData(BaseModel):
    """A task."""

    task_id: str
    provider: str = Field(examples=["Wan"])
    model_version: str = Field(examples=["2-2-animate-replace"])
    status: TaskStatus
    param: dict[str, Any]
    create_at: int
    complete_at: int | None
    duration_s: int | None
    credits: float
    source: str
    result: TaskResultData | None
    progress: float = Field(description="0 to 1, only grows.")
    stage: str
    segment: int | None
    segments: int | None
    queue_position: int | None


class TaskCreated(BaseModel):
    """Answer of CreateTask."""

    task_id: str = Field(examples=["019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d"])


class CancelData(BaseModel):
    """Answer of CancelTask."""

    task_id: str
    cancelling: bool = Field(description="False where the task was over already.")


class PriceData(BaseModel):
    """Answer of estimate-credits."""

    credits: float = Field(examples=[62.5])
    estimated: bool = Field(description="True where nobody has seen the video yet: the price of five seconds.")


class AffordableData(BaseModel):
    """Answer of EstimateTask."""

    estimated_credits: float = Field(examples=[62.5])
    balance: float = Field(examples=[9000])
    affordable: bool


class BalanceData(BaseModel):
    """Answer of balance."""

    balance: float = Field(examples=[9937.5])


class UploadData(BaseModel):
    """Answer of upload-url."""

    presigned_url: str = Field(description="PUT the bytes here once, with the same Content-Type.")
    file_url: str = Field(description="Name the file by this URL in CreateTask.")


class ModelData(BaseModel):
    """An entry of the catalogue."""

    model: str
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

    total: int
    page: int
    page_size: int
    items: list[dict[str, Any]]


Data = TypeVar("Data", bound=BaseModel)


class Envelope(BaseModel, Generic[Data]):
    """What every good answer comes in."""

    code: int = Field(examples=[200])
    message: str = Field(examples=["success"])
    data: Data


class ErrorEnvelope(BaseModel):
    """What every error comes in; with ``Accept: application/problem+json`` it is an RFC 9457 problem instead."""

    code: int = Field(description="401, 402, 403, 404, 422, 429, 455, 500 or 505")
    message: str
    data: None
    errors: list[str] | None = Field(None, description="422 only: one line for each wrong field.")


def answers(data: type[BaseModel], *codes: int) -> dict[int | str, dict[str, Any]]:
    """The answers of an operation, for its documentation: 200 with ``data``, 401 and 403, and the errors ``codes``."""
    made: dict[int | str, dict[str, Any]] = {200: {"model": Envelope[data], "description": "Success"}}
    for code in (401, *codes, 403):
        made[code] = {"model": ErrorEnvelope, "description": ERRORS[code]}
    return made


ERRORS = {
    401: "Missing or invalid key",
    402: "Insufficient credits",
    403: "Key disabled",
    404: "Not found",
    422: "Missing or wrong parameters",
    503: "Code 505: this renderer is not available",
}
