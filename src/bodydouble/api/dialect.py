"""What a dialect is: the API of one vendor, translated to the use cases in ``service``.

A dialect is a subpackage with a module ``dialect`` that defines ``DIALECT``. Where the vendor has callbacks, its module
``callback`` has their format. Dialects share the other modules of this package, and nothing with each other.

How a request becomes a task, in every dialect:

1. A route of the dialect (for fal ``fal/queue.py``) calls ``submitting.submit`` with a function that parses the body.
2. That function (``fal/models.py``) checks the vendor's fields, renames them to ours, and calls
   ``translation.translated``, which checks them again as inputs of our model and returns a ``Submission``.
3. ``submitting.submit`` passes it to ``TaskService.submit``, which stores the task. From here on nothing depends on the
   dialect, except that responses and callbacks are written in it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.types import Scope

from bodydouble.api.fast_path import FastRoute
from bodydouble.api.programs import Program
from bodydouble.tasks.errors import BodydoubleError


class HttpErrorResponse(Protocol):
    """Makes the response to an error that is no domain error, such as an unknown path."""

    def __call__(
        self, request: Request, status: int, message: str, headers: Mapping[str, str] | None = None
    ) -> Response: ...


@dataclass(frozen=True, kw_only=True)
class BaseUrl:
    """An address that leads a vendor's client to this service."""

    give_as: str  # variable or option of the client
    path: str  # follows the address of this service
    has_scheme: bool = True  # false: the client puts https:// before it

    def of(self, base_url: str) -> str:
        """The value for a service at ``base_url``."""
        return (base_url if self.has_scheme else base_url.partition("://")[2]) + self.path


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """One dialect."""

    name: str
    title: str  # the vendor, for people
    prefix: str  # all paths of the dialect begin with it; it has no trailing slash
    base_urls: Sequence[BaseUrl]  # what clients have to be given
    routers: Sequence[APIRouter]
    error_response: Callable[[Request, BodydoubleError], Response]
    http_error: HttpErrorResponse
    fast_routes: Sequence[FastRoute] = ()
    files_in_body: Callable[[str], bool] = lambda path: False  # whether requests for this path hold data URLs
    rewrites: Mapping[str, Callable[[Scope], None]] = field(default_factory=dict[str, Callable[[Scope], None]])
    """Path → function that gives such a request the path and query that it means."""
    security_schemes: Mapping[str, Any] = field(default_factory=dict[str, Any])  # of its OpenAPI document
    program: Program | None = None  # None: the console shows programs for our own API anyway
    uploads: Callable[[str], bool] = lambda path: False  # whether this path receives files, within their own limits
