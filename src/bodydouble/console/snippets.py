"""Code snippets that send a request from a program."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Snippets:
    """One request as curl command and as Python program."""

    curl: str
    python: str


def write_snippets(base_url: str, body: Mapping[str, Any]) -> Snippets:
    """Snippets for ``body``, a body of CreateTask. They read the API key from the environment."""
    text = json.dumps(body, indent=2, ensure_ascii=False)
    quoted = text.replace("'", "'\\''")
    curl = (
        f"curl {base_url}/api/v1/client/job/CreateTask \\\n"
        '  -H "x-api-key: $BODYDOUBLE_API_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d '{quoted}'"
    )
    inputs = dict(body["input"])
    image, video = (_first(inputs.pop(name, None), name) for name in ("img_urls", "video_urls"))
    options = "".join(f"\n        {name}={_literal(value)}," for name, value in inputs.items())
    python = (
        "from bodydouble_client import Client\n\n"
        f'with Client(base_url="{base_url}") as client:\n'
        "    result = client.run(\n"
        f"        {_literal(image)},\n"
        f"        {_literal(video)},{options}\n"
        "    )\n"
        '    result.download("result.mp4")'
    )
    return Snippets(curl=curl, python=python)


def _literal(value: Any) -> str:
    """A Python literal with double quotes."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _first(values: Any, name: str) -> str:
    return str(values[0]) if values else {"img_urls": "character.png", "video_urls": "shot.mp4"}[name]
