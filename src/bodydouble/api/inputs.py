"""Input classes of the models. ``Models/{model}`` returns the JSON Schema of these classes."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model

from bodydouble.renderers.options import OptionSpec
from bodydouble.renderers.plugin import RendererPlugin
from bodydouble.renderers.registry import AUTO, installed_plugins, offered_options
from bodydouble.tasks.catalogue import WAN_2_2_ANIMATE_MOVE, WAN_2_2_ANIMATE_REPLACE, ModelSpec
from bodydouble.tasks.data_url import is_data_url

URL_MESSAGE = "must be an http or https URL, or a data URL"
URL_BYTES_MAX = 8192
"""Longest http or https URL, in UTF-8. The download of a worker has the same limit."""
DATA_URL_CHARACTERS_MAX = 14_000_000


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _media_url(value: str) -> str:
    if is_data_url(value):
        return value
    if len(value.encode()) > URL_BYTES_MAX:
        raise ValueError(f"must have at most {URL_BYTES_MAX} bytes; only a data URL may be longer")
    if any(ord(character) < 0x20 for character in value):
        raise ValueError(URL_MESSAGE)
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
        case [bool(), object()] | [object(), bool()]:
            pass
        case [int() | float() as x, int() | float() as y] if 0 <= x <= 1 and 0 <= y <= 1:
            return [float(x), float(y)]
        case _:
            pass
    raise ValueError(
        f"must be an index by size (0 is the largest, {PERSON_INDEX_MAX} the last) or a point [x, y], each 0 to 1"
    )


MediaUrl = Annotated[str, Field(max_length=DATA_URL_CHARACTERS_MAX), AfterValidator(_media_url)]
PERSON_INDEX_MAX = 31
PERSON_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": PERSON_INDEX_MAX},
        {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}, "minItems": 2, "maxItems": 2},
    ]
}


class ShotInput(BaseModel):
    """The files and the size, which every model takes first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    img_urls: list[MediaUrl] = Field(min_length=1, max_length=1, description="One picture of the character.")
    video_urls: list[MediaUrl] = Field(min_length=1, max_length=1, description="One video, up to 120 s.")
    resolution: Annotated[Literal["480P", "580P", "720P"], BeforeValidator(_upper)] = Field(
        "720P", description="Short side of the output. The aspect ratio is kept and a smaller source is not enlarged."
    )


class _MoveFiles(ShotInput):
    img_urls: list[MediaUrl] = Field(
        min_length=1, max_length=1, description="One picture of the character in its own surroundings."
    )
    resolution: Annotated[Literal["480P", "580P", "720P"], BeforeValidator(_upper)] = Field(
        "720P",
        description="Short side of the output. The picture's aspect ratio is kept; a smaller one is not enlarged.",
    )


def _input_of(model: ModelSpec, name: str, files: type[ShotInput], person: str) -> type[BaseModel]:
    """The input class of ``model``: files, the options of every renderer that can make it, and which renderer.

    ``name`` is the class's, the title of the JSON Schema; ``person`` describes the field of that name.
    """
    plugins = [plugin for plugin in installed_plugins() if model.mode in plugin.modes]
    options = {spec.wire: _option_field(spec) for spec in offered_options(plugins, model.mode) if spec.wire is not None}
    # A plain union would report one problem for each member type; this reports one for both.
    person_type = Annotated[int | list[float], BeforeValidator(_person), WithJsonSchema(PERSON_SCHEMA)]
    fields: dict[str, Any] = options | {
        "person": (person_type, Field(0, description=person)),
        "keep_audio": (bool, Field(True, description="Copy the audio of the source unchanged.")),
        "renderer": (
            Literal[(AUTO, *(plugin.name for plugin in plugins))],
            Field(AUTO, description=_describe_renderers(plugins)),
        ),
    }
    return create_model(name, __base__=files, __doc__=f"Input of {model.name}.", **fields)


def _option_field(spec: OptionSpec) -> tuple[Any, Any]:
    of_type: Any = Literal[spec.choices] if spec.choices else spec.type
    limits = {"ge": spec.minimum, "le": spec.maximum, "max_length": spec.length_max}
    given: dict[str, Any] = {name: limit for name, limit in limits.items() if limit is not None}
    return of_type, Field(spec.default, description=spec.help, **given)


def _describe_renderers(plugins: Sequence[RendererPlugin]) -> str:
    summaries = "; ".join(f"`{plugin.name}` {plugin.summary}" for plugin in plugins)
    return f"{summaries}; `{AUTO}` takes the best available."


INPUTS: dict[str, type[BaseModel]] = {
    WAN_2_2_ANIMATE_REPLACE.name: _input_of(
        WAN_2_2_ANIMATE_REPLACE,
        "ReplaceInput",
        ShotInput,
        "The person to replace: an index by size (0 is the largest) or a point [x, y], each 0 to 1.",
    ),
    WAN_2_2_ANIMATE_MOVE.name: _input_of(
        WAN_2_2_ANIMATE_MOVE,
        "MoveInput",
        _MoveFiles,
        "The person to copy the motion of: an index by size (0 is the largest) or a point [x, y].",
    ),
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
