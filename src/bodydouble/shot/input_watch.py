"""Noticing that an input file of a shot changes while the shot is made."""

import json
from collections.abc import Mapping
from pathlib import Path

from bodydouble import __version__
from bodydouble.tasks.digests import digest_of
from bodydouble.tasks.errors import MediaRejected


def describe_inputs(inputs: Mapping[str, Path]) -> str:
    """The origin of all artefacts as JSON: this version, and the SHA-256 of each input by name."""
    # The probe reports a missing file.
    digests = {name: digest_of(path) for name, path in inputs.items() if path.is_file()}
    return json.dumps({"version": __version__, **digests}, indent=1)


class InputWatch:
    """Remembers size and time of change of the input files. ``described``: their text from ``describe_inputs``."""

    def __init__(self, inputs: Mapping[str, Path], described: str) -> None:
        self._inputs, self._described = inputs, described
        self._before = {name: _state(path) for name, path in inputs.items()}

    def check(self) -> None:
        """Raises MediaRejected if the bytes of an input are no longer those that were described."""
        touched = [name for name, path in self._inputs.items() if _state(path) != self._before[name]]
        if not touched:
            return
        digests = json.loads(self._described)
        for name in touched:  # touching a file without changing it does no harm
            path = self._inputs[name]
            if not path.is_file() or digest_of(path) != digests.get(name):
                raise MediaRejected(
                    f"{name}: the file {path.name} changed while the result was being made. Leave it unchanged until "
                    "the result is complete, and start again.",
                    field=name,
                )


def _state(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
