"""Input classes of the models. ``Models/{model}`` returns the JSON Schema of these classes."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model

from bodydouble.renderers.options import OptionSpec, Person
from bodydouble.renderers.shot_inputs import PERSON_INDEX_MAX, VIDEO_INPUT, picture_input, shot_inputs
from bodydouble.tasks.catalogue import WAN_2_2_ANIMATE_MOVE, WAN_2_2_ANIMATE_REPLACE, ModelSpec
from bodydouble.tasks.data_url import is_data_url
from bodydouble.tasks.host_names import HOST_CHARACTERS_MAX, HOST_LENGTHS, LABEL_CHARACTERS_MAX, has_valid_length

URL_MESSAGE = "must be an http or https URL, or a data URL"
CONTROL_CHARACTER = re.compile(r"[\x00-\x1f]")
URL_BYTES_MAX = 8192
"""Longest http or https URL, in UTF-8. The download of a worker has the same limit."""
DATA_URL_CHARACTERS_MAX = 14_000_000


ORDINARY_URL = re.compile(
    rf"https?://(?=[^/?#:]{{1,{HOST_CHARACTERS_MAX}}}(?:[/?#:]|\Z))"
    rf"[a-zA-Z0-9_-]{{1,{LABEL_CHARACTERS_MAX}}}(?:\.[a-zA-Z0-9_-]{{1,{LABEL_CHARACTERS_MAX}}})*"
    r"(?::[0-9]+)?(?:[/?#][!-~]*)?\Z"
)
"""Some of the URLs that ``checked_url`` accepts, recognised in a tenth of its time: ASCII, without user name."""


def _media_url(value: str) -> str:
    if len(value) <= URL_BYTES_MAX and ORDINARY_URL.match(value):
        return value
    return value if is_data_url(value) else checked_url(value)


@lru_cache(maxsize=64)  # a dialect validates an address as the vendor's input, then as ours
def checked_url(value: str) -> str:
    if len(value.encode()) > URL_BYTES_MAX:
        raise ValueError(f"must have at most {URL_BYTES_MAX} bytes; only a data URL may be longer")
    if CONTROL_CHARACTER.search(value):
        raise ValueError(URL_MESSAGE)
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        raise ValueError(URL_MESSAGE) from None
    if not good:
        raise ValueError(URL_MESSAGE)
    if not has_valid_length(parts.hostname or ""):
        raise ValueError(f"has an invalid host name: {HOST_LENGTHS}")
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
PERSON_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": PERSON_INDEX_MAX},
        {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}, "minItems": 2, "maxItems": 2},
    ]
}
LABEL_KEY, RENDERERS_KEY = "x-label", "x-renderers"
"""Keys of a field's JSON Schema: its name for people, and the renderers that use it (without the key all do)."""


class ShotInput(BaseModel):
    """Input of a model."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _input_of(model: ModelSpec, name: str) -> type[BaseModel]:
    """The input class of ``model``: two files, then every input of ``shot_inputs``.

    ``name`` is the title of the JSON Schema.
    """
    files = {
        file.api_name: (
            list[MediaUrl],
            Field(min_length=1, max_length=1, description=file.help, json_schema_extra={LABEL_KEY: file.label}),
        )
        for file in (picture_input(model.mode), VIDEO_INPUT)
    }
    others = {spec.api_name: _field(spec) for spec in shot_inputs(model.mode)}
    fields: dict[str, Any] = files | others
    return create_model(name, __base__=ShotInput, __doc__=f"Input of {model.name}.", **fields)


def _field(spec: OptionSpec) -> tuple[Any, Any]:
    limits = {"ge": spec.minimum, "le": spec.maximum, "max_length": spec.length_max}
    given: dict[str, Any] = {name: limit for name, limit in limits.items() if limit is not None}
    of_type: Any = spec.type
    if spec.type is Person:
        # A plain union would report one problem for each member type; this reports one for both.
        of_type = Annotated[int | list[float], BeforeValidator(_person), WithJsonSchema(PERSON_SCHEMA)]
        given = {}
    elif spec.type in (int, float):
        of_type = Annotated[spec.type, BeforeValidator(refuse_bool)]
    elif spec.choices:
        of_type = Annotated[Literal[spec.choices], BeforeValidator(_matching(spec.choices))]
    extra: dict[str, Any] = {LABEL_KEY: spec.label}
    if spec.renderers:
        extra[RENDERERS_KEY] = list(spec.renderers)
    return of_type, Field(spec.default, description=spec.help, json_schema_extra=extra, **given)


def refuse_bool(value: object) -> object:
    """``value``. Raises ValueError for true and false, which would count as 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")
    return value


def _matching(choices: Sequence[str]) -> Callable[[object], object]:
    """A validator that accepts a choice in any case."""
    by_lower_case = {choice.lower(): choice for choice in choices}
    return lambda value: by_lower_case.get(value.lower(), value) if isinstance(value, str) else value


INPUTS: dict[str, type[BaseModel]] = {
    WAN_2_2_ANIMATE_REPLACE.name: _input_of(WAN_2_2_ANIMATE_REPLACE, "ReplaceInput"),
    WAN_2_2_ANIMATE_MOVE.name: _input_of(WAN_2_2_ANIMATE_MOVE, "MoveInput"),
}


def plain_inputs(inputs: BaseModel) -> dict[str, Any]:
    """The fields of a validated input, with defaults. They are JSON values, so this equals pydantic's own dump."""
    return dict(vars(inputs))
