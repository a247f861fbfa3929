"""Python programs that send a request with the SDK of a dialect, for people who write their own."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ShownRequest:
    """A request in the terms of our own API."""

    base_url: str  # of this installation
    model: str
    image: str
    video: str
    others: Mapping[str, Any]  # the other inputs that are given

    def value(self, field: str, default: str, values: Mapping[str, str]) -> str | None:
        """The vendor's value of a field, which is ``default`` if it is not given; None if the vendor has none."""
        return values.get(str(self.others.get(field, default)))

    def note(self, *served: str) -> str:
        """A comment that names the given inputs that a dialect does not have, or nothing. It has all of ``served``."""
        missing = [field for field in self.others if field not in served]
        return f"# this API has no input for: {', '.join(missing)}\n" if missing else ""


@dataclass(frozen=True, kw_only=True)
class Program:
    """The program of a dialect."""

    label: str
    write: Callable[[ShownRequest], str]


def literal(inputs: Mapping[str, Any], levels: int = 1) -> str:
    """A dictionary as Python source, in lines; its end has ``levels`` times four spaces before it."""
    lines = [f"    {json.dumps(name)}: {python_value(value)}," for name, value in inputs.items() if value is not None]
    return "{\n" + indent("\n".join(lines), "    " * levels) + "\n" + "    " * levels + "}"


def python_value(value: Any) -> str:
    """A Python literal with double quotes."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def shown_request(base_url: str, body: Mapping[str, Any]) -> ShownRequest:
    """The request of ``body``, a body of our CreateTask whose files may be missing."""
    others = dict(body["input"])
    image: Sequence[str] = others.pop("img_urls", None) or ["https://example.com/character.png"]
    video: Sequence[str] = others.pop("video_urls", None) or ["https://example.com/shot.mp4"]
    return ShownRequest(base_url=base_url, model=body["model"], image=image[0], video=video[0], others=others)
