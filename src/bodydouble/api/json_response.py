"""A JSON response that writes exact decimals."""

from collections.abc import Mapping
from typing import Any

from fastapi.responses import JSONResponse

from bodydouble.service.document import to_json


class JsonResponse(JSONResponse):
    """A JSON response. FastAPI's own encoder would turn exact decimals into strings."""

    def __init__(
        self,
        content: Any,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str = "application/json",
    ) -> None:
        # Replaces the base class's initialiser, which is general and slower than building the response here.
        self.status_code, self.media_type, self.background = status_code, media_type, None
        self.body = to_json(content)
        self.raw_headers = [(b"content-length", b"%d" % len(self.body)), (b"content-type", media_type.encode())]
        if headers:
            self.raw_headers += [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers.items()]
