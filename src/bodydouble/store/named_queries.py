"""Named SQL statements from the files in ``queries``."""

import re
from functools import cache
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def load_queries() -> dict[str, str]:
    """Every statement by name. Raises ValueError for a name that occurs twice."""
    statements: dict[str, str] = {}
    for file in sorted(resources.files("bodydouble.store").joinpath("queries").iterdir(), key=lambda f: f.name):
        for name, statement in split_queries(file.read_text()).items():
            if name in statements:
                raise ValueError(f"query {name} is defined twice")
            statements[name] = statement
    return statements


def split_queries(text: str) -> dict[str, str]:
    """The statements of one file by name, each with the comment that describes it and without its semicolon."""
    parts = _NAME.split(text)[1:]
    return {name: body.strip().rstrip(";") for name, body in zip(parts[::2], parts[1::2], strict=True)}
