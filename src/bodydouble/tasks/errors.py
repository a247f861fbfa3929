"""The one error tree.

Each error carries a machine-readable ``reason`` and the ``fields`` that its message was made from. None of them
knows HTTP: the web edge maps class to answer in one table.
"""

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from bodydouble.tasks.account import Rate


class BodydoubleError(Exception):
    """Base of everything that is raised on purpose.

    ``reason`` is stable and made for programs; the message is for people and says what to do about it.
    """

    reason: ClassVar[str] = "error"
    rate: "Rate | None" = None  # how the limit stands that the refused request counts against

    def __init__(self, message: str, **fields: object) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields


class InputRejected(BodydoubleError):
    """What the caller gave cannot be used; the message names the field or file and the limit."""

    reason = "input_rejected"


class MediaRejected(InputRejected):
    """A picture or video is unreadable, of the wrong kind, or outside a limit."""

    reason = "media_rejected"


class NobodyFound(InputRejected):
    """There is nobody in the reference image or in the driving video, or not the person asked for."""

    reason = "nobody_found"


class InvalidParams(BodydoubleError):
    """A request's fields are wrong; ``problems`` holds one line for each."""

    reason = "invalid_params"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems), problems=problems)
        self.problems = problems


class Unauthenticated(BodydoubleError):
    """No key, or a key that is not known."""

    reason = "unauthenticated"


class KeyDisabled(BodydoubleError):
    """The key is known and switched off."""

    reason = "key_disabled"


class ScopeInsufficient(BodydoubleError):
    """The key is good and may not do this."""

    reason = "scope_insufficient"


class RateLimited(BodydoubleError):
    """Too many requests, or too many tasks at once; ``retry_seconds`` says when to try again."""

    reason = "rate_limited"

    def __init__(self, message: str, *, retry_seconds: float, rate: "Rate | None" = None) -> None:
        super().__init__(message, retry_seconds=retry_seconds)
        self.retry_seconds, self.rate = retry_seconds, rate


class Maintenance(BodydoubleError):
    """The operator takes no new work for a while; what is there can be read."""

    reason = "maintenance"

    def __init__(self, message: str, *, retry_seconds: float) -> None:
        super().__init__(message, retry_seconds=retry_seconds)
        self.retry_seconds = retry_seconds


class FeatureDisabled(BodydoubleError):
    """The operator switched this model, renderer or feature off."""

    reason = "feature_disabled"


class IdempotencyConflict(BodydoubleError):
    """The same ``Idempotency-Key`` came before with another body."""

    reason = "idempotency_conflict"


class StillRunning(BodydoubleError):
    """What is asked for is possible only once the task is over."""

    reason = "still_running"


class InsufficientCredits(BodydoubleError):
    """The account's balance does not reach; ``fields`` has ``needed`` and ``balance``."""

    reason = "insufficient_credits"


class NotFound(BodydoubleError):
    """No such thing, or not this account's."""

    reason = "not_found"


class RendererUnavailable(BodydoubleError):
    """The renderer asked for does not run on this installation."""

    reason = "renderer_unavailable"


class ModelPackMissing(BodydoubleError):
    """The perception model files are not on this machine; the message has the command that brings them."""

    reason = "model_pack_missing"


class Cancelled(BodydoubleError):
    """The caller asked to stop."""

    reason = "cancelled"


class StorageUnavailable(BodydoubleError):
    """The database or the file store does not answer."""

    reason = "storage_unavailable"


class StorageFull(StorageUnavailable):
    """There is no room left for files."""

    reason = "storage_full"
