"""Named SQL from the files in ``queries``: one place where every statement can be read."""

import re
from functools import cache
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def load_queries() -> dict[str, str]:
    """Statement by name. Raises ValueError where a name stands twice."""
    statements: dict[str, str] = {}
    for file in sorted(resources.files("bodydouble.store").joinpath("queries").iterdir(), key=lambda f: f.name):
        parts = _NAME.split(file.read_text())[1:]
        for name, body in zip(parts[::2], parts[1::2], strict=True):
            if name in statements:
                raise ValueError(f"query {name} is there twice")
            statements[name] = body.strip().rstrip(";")
    return statements
