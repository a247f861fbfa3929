"""Input classes of the models. ``Models/{model}`` returns the JSON Schema of these classes."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from bodydouble.tasks.data_url import is_data_url

URL_MESSAGE = "must be an http or https URL, or a data URL"


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _media_url(value: str) -> str:
    if is_data_url(value):
        return value
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        raise ValueError(URL_MESSAGE) from None
    if not good:
        raise ValueError(URL_MESSAGE)
    if parts.username is not None or parts.password is not None:  # a stored task would show it
        raise ValueError("must not hold a user name or password; give a signed URL, or upload the file")
    return value


def _person(value: object) -> object:
    match value:
        case bool():  # bool is a subclass of int
            pass
        case int() if 0 <= value <= PERSON_INDEX_MAX:
            return value
        case [int() | float() as x, int() | float() as y] if 0 <= x <= 1 and 0 <= y <= 1:
            return [float(x), float(y)]
        case _:
            pass
    raise ValueError(
        f"must be an index by size (0 is the largest, {PERSON_INDEX_MAX} the last) or a point [x, y], each 0 to 1"
    )


MediaUrl = Annotated[str, Field(max_length=14_000_000), AfterValidator(_media_url)]
PERSON_INDEX_MAX = 31
PERSON_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": PERSON_INDEX_MAX},
        {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}, "minItems": 2, "maxItems": 2},
    ]
}


class AnimateInput(BaseModel):
    """Input fields of both models."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    img_urls: list[MediaUrl] = Field(min_length=1, max_length=1, description="One picture of the character.")
    video_urls: list[MediaUrl] = Field(min_length=1, max_length=1, description="One video, 1 to 120 s.")
    resolution: Annotated[Literal["480P", "580P", "720P"], BeforeValidator(_upper)] = Field(
        "720P", description="Short side of the output. The aspect ratio is kept and a smaller source is not enlarged."
    )
    seed: int = Field(
        0, ge=0, le=2**63 - 1, description="Seed of the random numbers: the same seed gives the same video."
    )
    num_inference_steps: int = Field(20, ge=2, le=40, description="Denoising steps (renderer wan).")
    guidance_scale: float = Field(1.0, ge=0, le=20, description="Classifier-free guidance (renderer wan).")
    shift: float = Field(5.0, ge=0, le=20, description="Flow shift of the schedule (renderer wan).")
    prompt: str = Field("", max_length=2000, description="Description of the scene (renderer wan).")
    # A plain union would report one problem for each member type; this reports one for both.
    person: Annotated[int | list[float], BeforeValidator(_person), WithJsonSchema(PERSON_SCHEMA)] = Field(
        0, description="The person to replace: an index by size (0 is the largest) or a point [x, y], each 0 to 1."
    )
    keep_audio: bool = Field(True, description="Copy the audio of the source unchanged.")


class ReplaceInput(AnimateInput):
    """Input of wan/2-2-animate-replace."""

    renderer: Literal["auto", "wan", "puppet"] = Field(
        "auto", description="`wan` needs a GPU; `puppet` makes a preview on the CPU; `auto` takes the best available."
    )


class MoveInput(AnimateInput):
    """Input of wan/2-2-animate-move."""

    img_urls: list[MediaUrl] = Field(
        min_length=1, max_length=1, description="One picture of the character in its own surroundings."
    )
    resolution: Annotated[Literal["480P", "580P", "720P"], BeforeValidator(_upper)] = Field(
        "720P",
        description="Short side of the output. The picture's aspect ratio is kept; a smaller one is not enlarged.",
    )
    person: Annotated[int | list[float], BeforeValidator(_person), WithJsonSchema(PERSON_SCHEMA)] = Field(
        0,
        description="The person to copy the motion of: an index by size (0 is the largest) or a point [x, y].",
    )
    renderer: Literal["auto", "wan"] = Field("auto", description="Needs a GPU; both values mean `wan`.")


INPUTS: dict[str, type[BaseModel]] = {
    "wan/2-2-animate-replace": ReplaceInput,
    "wan/2-2-animate-move": MoveInput,
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "wan/2-2-animate-replace": {
        "model": "wan/2-2-animate-replace",
        "callback_url": "https://your-domain.com/api/callback",
        "input": {
            "img_urls": ["https://example.com/portrait.jpg"],
            "video_urls": ["https://example.com/source-video.mp4"],
            "resolution": "720P",
        },
    },
    "wan/2-2-animate-move": {
        "model": "wan/2-2-animate-move",
        "callback_url": "https://your-domain.com/api/callback",
        "input": {
            "img_urls": ["https://example.com/portrait.jpg"],
            "video_urls": ["https://example.com/dance.mp4"],
            "resolution": "720P",
        },
    },
}
