"""The one error tree.

Each error carries a machine-readable ``reason``, its ``kind`` and the ``fields`` that its message was made from. None
of them knows HTTP: the API and the console each have a table from kind to answer.
"""

import enum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from bodydouble.tasks.account import Rate


class Kind(enum.Enum):
    """What stands in the way: all that somebody who answers a request has to know of an error."""

    UNKNOWN_CALLER = enum.auto()  # nobody is known by what was shown
    FORBIDDEN = enum.auto()  # somebody is known, and may not
    UNPAID = enum.auto()
    MISSING = enum.auto()
    CONFLICT = enum.auto()  # not as things stand now
    TAKEN = enum.auto()  # somebody was there before
    INVALID = enum.auto()  # not with these values
    TOO_MANY = enum.auto()
    CLOSED = enum.auto()  # nothing new is taken for a while
    NOT_OFFERED = enum.auto()  # not on this installation, or not now
    FULL = enum.auto()
    FAULT = enum.auto()  # ours, and nobody else's business


class BodydoubleError(Exception):
    """Base of everything that is raised on purpose.

    ``reason`` is stable and made for programs; the message is for people and says what to do about it.
    """

    reason: ClassVar[str] = "error"
    kind: ClassVar[Kind] = Kind.FAULT
    rate: "Rate | None" = None  # how the limit stands that the refused request counts against

    def __init__(self, message: str, **fields: object) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields


class InputRejected(BodydoubleError):
    """What the caller gave cannot be used; the message names the field or file and the limit."""

    reason = "input_rejected"
    kind = Kind.INVALID


class QuotaExceeded(InputRejected):
    """The account's uploads hold as much as they may."""

    reason = "quota_exceeded"


class MediaRejected(InputRejected):
    """A picture or video is unreadable, of the wrong kind, or outside a limit."""

    reason = "media_rejected"


class NobodyFound(InputRejected):
    """There is nobody in the reference image or in the driving video, or not the person asked for."""

    reason = "nobody_found"


class InvalidParams(BodydoubleError):
    """A request's fields are wrong; ``problems`` holds one line for each."""

    reason = "invalid_params"
    kind = Kind.INVALID

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems), problems=problems)
        self.problems = problems


class Unauthenticated(BodydoubleError):
    """No key, or a key that is not known."""

    reason = "unauthenticated"
    kind = Kind.UNKNOWN_CALLER


class IdentityRefused(BodydoubleError):
    """Another service's word for somebody cannot be relied on, or it is nobody who may come in here."""

    reason = "identity_refused"
    kind = Kind.FORBIDDEN


class ProviderUnavailable(BodydoubleError):
    """The service that vouches for people does not answer, or not as it should."""

    reason = "provider_unavailable"
    kind = Kind.NOT_OFFERED


class KeyDisabled(BodydoubleError):
    """The key is known and switched off."""

    reason = "key_disabled"
    kind = Kind.FORBIDDEN


class ScopeInsufficient(BodydoubleError):
    """The key is good and may not do this."""

    reason = "scope_insufficient"
    kind = Kind.FORBIDDEN


class RateLimited(BodydoubleError):
    """Too many requests, or too many tasks at once; ``retry_seconds`` says when to try again."""

    reason = "rate_limited"
    kind = Kind.TOO_MANY

    def __init__(self, message: str, *, retry_seconds: float, rate: "Rate | None" = None) -> None:
        super().__init__(message, retry_seconds=retry_seconds)
        self.retry_seconds, self.rate = retry_seconds, rate


class Maintenance(BodydoubleError):
    """The operator takes no new work for a while; what is there can be read."""

    reason = "maintenance"
    kind = Kind.CLOSED

    def __init__(self, message: str, *, retry_seconds: float) -> None:
        super().__init__(message, retry_seconds=retry_seconds)
        self.retry_seconds = retry_seconds


class FeatureDisabled(BodydoubleError):
    """The operator switched this model, renderer or feature off."""

    reason = "feature_disabled"
    kind = Kind.NOT_OFFERED


class IdempotencyConflict(BodydoubleError):
    """The same ``Idempotency-Key`` came before with another body."""

    reason = "idempotency_conflict"
    kind = Kind.INVALID


class StillRunning(BodydoubleError):
    """What is asked for is possible only once the task is over."""

    reason = "still_running"
    kind = Kind.CONFLICT


class WrongOffset(BodydoubleError):
    """A piece of an upload does not begin where the one before ended; ``offset`` is where it has to."""

    reason = "wrong_offset"
    kind = Kind.CONFLICT

    def __init__(self, offset: int) -> None:
        super().__init__(f"Upload-Offset: {offset} bytes are here; send what follows them", offset=offset)
        self.offset = offset


class AddressUsed(BodydoubleError):
    """An upload address takes one file; whoever was there first has had it."""

    reason = "address_used"
    kind = Kind.TAKEN

    def __init__(self, key: str) -> None:
        super().__init__("This upload address was used already; ask for a new one.", key=key)


class InsufficientCredits(BodydoubleError):
    """The account's balance does not reach; ``fields`` has ``needed`` and ``balance``."""

    reason = "insufficient_credits"
    kind = Kind.UNPAID


class NotFound(BodydoubleError):
    """No such thing, or not this account's."""

    reason = "not_found"
    kind = Kind.MISSING


class RendererUnavailable(BodydoubleError):
    """The renderer asked for does not run on this installation."""

    reason = "renderer_unavailable"
    kind = Kind.NOT_OFFERED


class RendererLost(BodydoubleError):
    """The process that holds a renderer's model ended in the middle of its work; another attempt may succeed."""

    reason = "renderer_lost"


class WorkspaceDamaged(BodydoubleError):
    """Files of a workspace changed or disappeared while a shot was made; another attempt makes them again."""

    reason = "workspace_damaged"


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
    kind = Kind.FULL
