"""All dialects, and the one of a request."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bodydouble.api.crun.dialect import DIALECT as CRUN
from bodydouble.api.dashscope.dialect import DIALECT as DASHSCOPE
from bodydouble.api.dialect import Dialect
from bodydouble.api.fal.dialect import DIALECT as FAL
from bodydouble.api.kie.dialect import DIALECT as KIE
from bodydouble.api.programs import shown_request
from bodydouble.api.replicate.dialect import DIALECT as REPLICATE
from bodydouble.api.wavespeed.dialect import DIALECT as WAVESPEED

DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect for dialect in (CRUN, FAL, REPLICATE, DASHSCOPE, KIE, WAVESPEED)
}


class ServedDialects:
    """The dialects that an installation serves."""

    def __init__(self, off: Collection[str] = ()) -> None:
        self.all: Sequence[Dialect] = [dialect for dialect in DIALECTS.values() if dialect.name not in off]
        self._by_first_part = {dialect.prefix.split("/")[1]: dialect for dialect in self.all}

    def of_path(self, path: str) -> Dialect:
        """The dialect of a path. Paths outside a dialect, such as ``/files``, have the error format of crun's API."""
        return self._by_first_part.get(path[1:].split("/", 1)[0], CRUN)

    def programs(self, base_url: str, body: Mapping[str, Any]) -> Sequence[tuple[str, str, str]]:
        """Name and label of each dialect but our own, and a program that sends ``body`` of our CreateTask with it."""
        request = shown_request(base_url, body)
        return [(d.name, d.program.label, d.program.write(request)) for d in self.all if d.program is not None]

    def receives_files(self, path: str) -> bool:
        """Whether a request for this path is an upload, which the file store limits."""
        return path.startswith("/files/") or self.of_path(path).uploads(path)
