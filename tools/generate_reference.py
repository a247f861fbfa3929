"""Write the reference pages of the documentation site from the code: commands, endpoints, errors, metrics, client.

``make site`` calls it. The pages are not committed. The
settings have a committed page: ``generate_settings_reference``.
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from bodydouble.api.app import ApiLimits, create_app
from bodydouble.api.crun.envelope import CODES
from bodydouble.api.errors import STATUSES
from bodydouble.api.metrics import HISTOGRAMS, InstallationCollector
from bodydouble.cli import app as command_line
from bodydouble.service.metrics import Measures
from bodydouble.tasks.errors import BodydoubleError
from bodydouble.tasks.operation import QueueState
from bodydouble.tasks.tracing import NoTracer

CLIENT = """# Python client

Distribution `bodydouble-client`, import name `bodydouble_client`. The guide is [client.md](../client.md).
`AsyncClient` has the same methods as coroutines.

```{eval-rst}
.. automodule:: bodydouble_client
   :members: Client, TaskHandle, Result, TaskInfo, TaskUpdate, Price, Media, Account, verify_webhook

Errors
------

.. automodule:: bodydouble_client.errors
   :members:

.. automodule:: bodydouble_client.task_errors
   :members:
```
"""


def write(folder: Path) -> None:
    """Write every page into ``folder``."""
    folder.mkdir(exist_ok=True)
    pages = {
        "commands": _commands(),
        "endpoints": _endpoints(),
        "errors": _errors(),
        "metrics": _metrics(),
        "client": CLIENT,
    }
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text)


def _commands() -> str:
    root = typer.main.get_command(command_line)
    parts = [
        "# Commands\n\n`bodydouble COMMAND --help` prints the same. [commands.md](../commands.md) tells how commands"
        " find the installation and what `--json` prints.\n"
    ]
    for name, command in _leaves(root, "bodydouble"):
        parts.append(_command(name, command))
    return "\n".join(parts)


def _leaves(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Each command with its whole name. Typer's classes are not click's, so groups are known by their commands."""
    if hasattr(command, "commands"):
        for sub_name, sub in command.commands.items():
            if not sub.hidden:
                yield from _leaves(sub, f"{name} {sub_name}")
    else:
        yield name, command


def _command(name: str, command: Any) -> str:
    context = command.context_class(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    rows = [record for parameter in command.params if (record := parameter.get_help_record(context))]
    text = inspect.cleandoc(command.help or "")
    summary, _, examples = text.partition("Examples:" if "Examples:" in text else "Example:")
    parts = [f"## {name}\n", summary.strip() + "\n", f"```\n{usage}\n```\n"]
    if rows:
        parts += ["| option | meaning |", "| --- | --- |", *(f"| `{_cell(a)}` | {_cell(b)} |" for a, b in rows), ""]
    if examples.strip():
        lines = [line.strip() for line in examples.splitlines() if line.strip()]
        parts += ["```", *lines, "```", ""]
    return "\n".join(parts)


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def _endpoints() -> str:
    limits = ApiLimits(body_bytes_max=1, data_url_bytes_max=1, reads_per_minute=1, event_streams_max=1)
    document = create_app(lifespan=_no_lifespan, limits=limits, tracer=NoTracer()).openapi()
    parts = [
        "# Endpoints\n\nA running service shows the whole reference, with schemas and examples, at `/docs`, and the"
        " OpenAPI document at `/openapi.json`. The guide is [api.md](../api.md).\n",
        "| endpoint | what it does |",
        "| --- | --- |",
    ]
    for path, methods in sorted(document["paths"].items()):
        for method, operation in methods.items():
            if isinstance(operation, dict):
                parts.append(f"| `{method.upper()} {path}` | {_cell(_first_sentence(operation))} |")
    return "\n".join(parts) + "\n"


def _errors() -> str:
    parts = [
        "# Errors by reason\n\nThe service's errors, their HTTP status, and the `code` of crun's envelope. Logs and"
        " traces name the reason. What a client does about each code: [errors and limits](../errors-and-limits.md).\n",
        "| reason | HTTP | code | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for error in sorted(set(_subclasses(BodydoubleError)), key=lambda found: (STATUSES[found.kind], found.reason)):
        status = STATUSES[error.kind]
        meaning = _cell((error.__doc__ or "").replace("``", "`"))
        parts.append(f"| `{error.reason}` | {status} | {CODES.get(error.kind, status)} | {meaning} |")
    return "\n".join(parts) + "\n"


def _subclasses(error: type[BodydoubleError]) -> Iterator[type[BodydoubleError]]:
    """Every error that has a reason of its own."""
    for below in error.__subclasses__():
        if "reason" in vars(below):
            yield below
        yield from _subclasses(below)


def _metrics() -> str:
    queue = QueueState(
        pending=0,
        running=0,
        oldest_pending_seconds=0,
        deliveries_pending=0,
        oldest_delivery_seconds=0,
        executors=0,
    )
    bounds = dict.fromkeys(HISTOGRAMS, ())
    measures = Measures(queue=queue, switched_off=[], counts=[], gauges=[], bounds=bounds)
    parts = [
        "# Metrics by name\n\nWhat `GET /metrics` returns. Access, buckets and queries:"
        " [monitoring](../monitoring.md).\n",
        "| metric | type | labels | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for family in InstallationCollector(measures).collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = ", ".join(f"`{label}`" for label in getattr(family, "_labelnames", ()))
        parts.append(f"| `{name}` | {family.type} | {labels} | {_cell(family.documentation)} |")
    return "\n".join(parts) + "\n"


def _first_sentence(operation: dict[str, Any]) -> str:
    text = re.sub(r"\s+", " ", operation.get("description") or operation.get("summary", ""))
    return text.split(". ")[0].rstrip(".") + "."


def _no_lifespan(app: Any) -> Any:
    raise AssertionError("the application is only described")
