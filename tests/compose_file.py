"""The services of ``deploy/compose.yaml``: their commands and environment as Docker Compose would pass them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parents[1] / "deploy" / "compose.yaml"
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<other>[^}]*))?\}")


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service of the file."""

    command: tuple[str, ...]  # arguments of `bodydouble`
    environment: dict[str, str]


def read_service(name: str, variables: dict[str, str]) -> Service:
    """A service that runs our image. ``variables`` are those of ``deploy/.env``. Raises KeyError: one is missing."""
    found = yaml.safe_load(FILE.read_text())["services"][name]
    values = {key: interpolated(str(value), variables) for key, value in found["environment"].items()}
    return Service(command=tuple(found["command"]), environment=values)


def interpolated(text: str, variables: dict[str, str]) -> str:
    """``text`` with its variables, by the rules of the Compose specification that the file uses."""

    def value(found: re.Match[str]) -> Any:
        given = variables.get(found["name"], "")
        if given or found["kind"] is None:
            return given
        if found["kind"] == "-":
            return found["other"]
        raise KeyError(f"{found['name']}: {found['other']}")

    return VARIABLE.sub(value, text)
