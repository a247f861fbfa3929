"""What the pages are given."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bodydouble.media import MediaLimits
from bodydouble.service import (
    AccountService,
    CallbackService,
    OperationService,
    PeopleService,
    QualityService,
    SessionService,
    Submission,
    TaskService,
)
from bodydouble.service.single_sign_on import SingleSignOn

ParseSubmission = Callable[[dict[str, Any]], Submission]
"""A body of CreateTask to a checked submission. Raises InvalidParams."""


@dataclass(frozen=True, kw_only=True)
class Console:
    """The use cases that the pages call, and what they tell about this installation."""

    tasks: TaskService
    accounts: AccountService
    callbacks: CallbackService
    sessions: SessionService
    single_sign_on: SingleSignOn | None  # None: links alone
    operation: OperationService
    people: PeopleService
    quality: QualityService
    parse: ParseSubmission
    schemas: Mapping[str, Mapping[str, Any]]  # JSON Schema of each model's input
    examples: Mapping[str, Mapping[str, Any]]  # a body of CreateTask for each model
    renderers: Sequence[str]  # that this installation can run
    limits: MediaLimits
    base_url: str  # how clients reach this installation
    media_origins: Sequence[str] = ()  # where media lie when not here: a bucket's addresses
