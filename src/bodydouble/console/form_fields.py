"""Form fields from the JSON Schema of a model's input."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MEDIA = {"img_urls": "image", "video_urls": "video"}
PERSON = "person"
BASIC = frozenset({*MEDIA, PERSON, "resolution", "keep_audio"})
"""The fields of the form; all others are under its "More options", so that its button is on the first screen."""
LONG_TEXT = 200
LABEL_KEY, RENDERERS_KEY = "x-label", "x-renderers"


@dataclass(frozen=True, kw_only=True)
class Field:
    """One form field."""

    name: str
    label: str
    kind: str  # image, video, person, choice, switch, integer, number, text, lines
    help: str
    default: Any
    required: bool
    basic: bool  # False: shown under "More options"
    options: Sequence[str] = ()
    minimum: float | None = None
    maximum: float | None = None
    length_max: int | None = None
    renderers: Sequence[str] = ()  # that use the field; empty: all


def form_fields(schema: Mapping[str, Any], renderers: Sequence[str] = ()) -> list[Field]:
    """The fields in the order of the schema.

    ``renderers``: those that can run; fields that none of them uses are left out. Empty: all fields.
    """
    required = set(schema.get("required", ()))
    fields = [_field(name, part, name in required) for name, part in schema["properties"].items()]
    return [f for f in fields if not f.renderers or not renderers or set(f.renderers) & set(renderers)]


def _field(name: str, part: Mapping[str, Any], required: bool) -> Field:
    options = [str(option) for option in part.get("enum", ())]
    length_max = part.get("maxLength")
    kind = MEDIA.get(name) or (PERSON if name == PERSON else "choice" if options else _kind(part, length_max))
    maximum = part.get("maximum")
    return Field(
        name=name,
        label=part[LABEL_KEY],
        kind=kind,
        help=part.get("description", ""),
        default=part.get("default"),
        required=required,
        basic=name in BASIC,
        options=options,
        minimum=part.get("minimum"),
        maximum=maximum if maximum is None or maximum < 2**53 else 2**53 - 1,  # largest exact integer in JavaScript
        length_max=length_max,
        renderers=part.get(RENDERERS_KEY, ()),
    )


def _kind(part: Mapping[str, Any], length_max: int | None) -> str:
    match part.get("type"):
        case "boolean":
            return "switch"
        case "integer":
            return "integer"
        case "number":
            return "number"
        case _:
            return "lines" if length_max is None or length_max > LONG_TEXT else "text"
