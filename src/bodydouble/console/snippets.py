"""Code snippets that send a request from a program."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WritePrograms = Callable[[str, Mapping[str, Any]], Sequence[tuple[str, str, str]]]
"""Programs for the SDKs of other services: name, label and text, from the URL of this installation and a body."""


@dataclass(frozen=True, kw_only=True)
class Snippet:
    """One program. Its name and label are those of its tab."""

    name: str
    label: str
    text: str


def write_snippets(base_url: str, body: Mapping[str, Any], write_programs: WritePrograms) -> Sequence[Snippet]:
    """Snippets for ``body``, a body of CreateTask: curl, our Python client, then the SDKs of other services.

    They read the API key from the environment.
    """
    return [
        Snippet(name="curl", label="curl", text=_curl(base_url, body)),
        Snippet(name="python", label="Python", text=_python(base_url, body)),
        *(Snippet(name=name, label=label, text=text) for name, label, text in write_programs(base_url, body)),
    ]


def _curl(base_url: str, body: Mapping[str, Any]) -> str:
    text = json.dumps(body, indent=2, ensure_ascii=False)
    quoted = text.replace("'", "'\\''")
    return (
        f"curl {base_url}/api/v1/client/job/CreateTask \\\n"
        '  -H "x-api-key: $BODYDOUBLE_API_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d '{quoted}'"
    )


def _python(base_url: str, body: Mapping[str, Any]) -> str:
    inputs = dict(body["input"])
    image, video = (_first(inputs.pop(name, None), name) for name in ("img_urls", "video_urls"))
    options = "".join(f"\n        {name}={_literal(value)}," for name, value in inputs.items())
    return (
        "from bodydouble_client import Client\n\n"
        f'with Client(base_url="{base_url}") as client:\n'
        "    result = client.run(\n"
        f"        {_literal(image)},\n"
        f"        {_literal(video)},{options}\n"
        "    )\n"
        '    result.download("result.mp4")'
    )


def _literal(value: Any) -> str:
    """A Python literal with double quotes."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _first(values: Any, name: str) -> str:
    return str(values[0]) if values else {"img_urls": "character.png", "video_urls": "shot.mp4"}[name]
