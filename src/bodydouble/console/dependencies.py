"""The services and settings that the pages use."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from bodydouble.console.snippets import WritePrograms
from bodydouble.media import MediaLimits
from bodydouble.service import (
    AccountService,
    CallbackService,
    OperationService,
    PeopleService,
    ProxyService,
    QualityService,
    SessionService,
    Submission,
    TaskService,
    VerificationService,
)
from bodydouble.service.single_sign_on import SingleSignOn
from bodydouble.tasks.delivery import CallbackMessage, DeliveryTry
from bodydouble.tasks.request_origin import link_base

ParseSubmission = Callable[[dict[str, Any]], Submission]
"""Validates a body of CreateTask. Raises InvalidParams."""


SendCallback = Callable[[str, UUID, CallbackMessage], Awaitable[DeliveryTry]]
"""Sends a message once to an address, as the delivery of this id."""


@dataclass(frozen=True, kw_only=True)
class Console:
    """The services that the pages call, and the facts about this installation that they show."""

    tasks: TaskService
    accounts: AccountService
    callbacks: CallbackService
    sessions: SessionService
    single_sign_on: SingleSignOn | None  # None: sign-in by link only
    operation: OperationService
    people: PeopleService
    proxies: ProxyService
    quality: QualityService
    verification: VerificationService
    parse: ParseSubmission
    schemas: Mapping[str, Mapping[str, Any]]  # JSON Schema of each model's input
    examples: Mapping[str, Mapping[str, Any]]  # a body of CreateTask for each model
    renderers: Mapping[str, Sequence[str]]  # mode → those available on this installation, best first
    renderer_summaries: Mapping[str, str]  # renderer → what it needs or is for, after its name
    example_file: Callable[[str], Awaitable[Path]]  # an example of this name; raises NotFound, ModelPackMissing
    send_callback: SendCallback
    write_programs: WritePrograms
    limits: MediaLimits
    configured_url: str  # URL of this installation for clients
    media_origins: Sequence[str] = ()  # origins of media stored elsewhere, such as a bucket

    @property
    def base_url(self) -> str:
        """The start of links of this installation, as the browser knows it."""
        return link_base(self.configured_url)
