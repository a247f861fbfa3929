"""The one tree of errors that are raised on purpose.

Each error has a machine-readable ``reason``, a ``kind``, and the ``fields`` that its message contains. None knows HTTP:
the API and the console each have a table from kind to response.
"""

import enum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from bodydouble.tasks.account import Rate


class Kind(enum.Enum):
    """Classes of errors: what the API and the console need to choose a response."""

    UNKNOWN_CALLER = enum.auto()  # the credentials are unknown
    FORBIDDEN = enum.auto()  # the caller is known and not allowed
    UNPAID = enum.auto()
    MISSING = enum.auto()
    CONFLICT = enum.auto()  # not in the current state
    TAKEN = enum.auto()  # exists already
    INVALID = enum.auto()  # these values are not accepted
    TOO_MANY = enum.auto()
    CLOSED = enum.auto()  # no new work is accepted for a while
    NOT_OFFERED = enum.auto()  # not on this installation, or not now
    FULL = enum.auto()
    FAULT = enum.auto()  # internal


class BodydoubleError(Exception):
    """Base of all errors that are raised on purpose.

    ``reason`` is stable, for programs. The message is for people and says what to do.
    """

    reason: ClassVar[str] = "error"
    kind: ClassVar[Kind] = Kind.FAULT
    rate: "Rate | None" = None  # state of the limit that the request counts against

    def __init__(self, message: str, **fields: object) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields


class InputRejected(BodydoubleError):
    """An input cannot be used; the message names the field or file and the limit."""

    reason = "input_rejected"
    kind = Kind.INVALID


class QuotaExceeded(InputRejected):
    """The account's uploads hold as much as they may."""

    reason = "quota_exceeded"


class MediaRejected(InputRejected):
    """A picture or video is unreadable, of a wrong type, or outside a limit."""

    reason = "media_rejected"


class InspectionFailed(MediaRejected):
    """The inspection of a file took more time or memory than it may, or crashed. Another try may succeed."""

    reason = "inspection_failed"


class InspectionUnavailable(BodydoubleError):
    """The process that inspects media could not be started."""

    reason = "inspection_unavailable"


class NobodyFound(InputRejected):
    """No person was detected in the reference image or the driving video, or not the one asked for."""

    reason = "nobody_found"


class InvalidParams(BodydoubleError):
    """Fields of a request are wrong; ``problems`` has one line for each."""

    reason = "invalid_params"
    kind = Kind.INVALID

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems), problems=problems)
        self.problems = problems


class Unauthenticated(BodydoubleError):
    """No credentials, or unknown ones."""

    reason = "unauthenticated"
    kind = Kind.UNKNOWN_CALLER


class IdentityRefused(BodydoubleError):
    """An identity provider's answer cannot be verified, or the person may not sign in here."""

    reason = "identity_refused"
    kind = Kind.FORBIDDEN


class ProviderUnavailable(BodydoubleError):
    """The identity provider does not respond, or responds with an error."""

    reason = "provider_unavailable"
    kind = Kind.NOT_OFFERED


class KeyDisabled(BodydoubleError):
    """The key or its account is disabled."""

    reason = "key_disabled"
    kind = Kind.FORBIDDEN


class ScopeInsufficient(BodydoubleError):
    """The key is valid but its scope does not allow this."""

    reason = "scope_insufficient"
    kind = Kind.FORBIDDEN


class RateLimited(BodydoubleError):
    """Too many requests or too many active tasks; retry after ``retry_seconds``."""

    reason = "rate_limited"
    kind = Kind.TOO_MANY

    def __init__(self, message: str, *, retry_seconds: float, rate: "Rate | None" = None) -> None:
        super().__init__(message, retry_seconds=retry_seconds)
        self.retry_seconds, self.rate = retry_seconds, rate


class Maintenance(BodydoubleError):
    """The operator has switched off new work. Reads still succeed."""

    reason = "maintenance"
    kind = Kind.CLOSED

    def __init__(self, message: str, *, retry_seconds: float) -> None:
        super().__init__(message, retry_seconds=retry_seconds)
        self.retry_seconds = retry_seconds


class FeatureDisabled(BodydoubleError):
    """The operator has switched off this model, renderer or feature."""

    reason = "feature_disabled"
    kind = Kind.NOT_OFFERED


class IdempotencyConflict(BodydoubleError):
    """This ``Idempotency-Key`` was used before with another body."""

    reason = "idempotency_conflict"
    kind = Kind.INVALID


class StillRunning(BodydoubleError):
    """The operation needs a task that has ended."""

    reason = "still_running"
    kind = Kind.CONFLICT


class WrongOffset(BodydoubleError):
    """A piece of an upload does not start where the previous one ended; it must start at ``offset``."""

    reason = "wrong_offset"
    kind = Kind.CONFLICT

    def __init__(self, offset: int) -> None:
        super().__init__(f"Upload-Offset: {offset} bytes have been received; send what follows them", offset=offset)
        self.offset = offset


class AddressUsed(BodydoubleError):
    """An upload address accepts one file, and this one has received it."""

    reason = "address_used"
    kind = Kind.TAKEN

    def __init__(self, key: str) -> None:
        super().__init__("This upload address has been used; request a new one.", key=key)


class InsufficientCredits(BodydoubleError):
    """The account's balance is too low; ``fields`` has ``needed`` and ``balance``."""

    reason = "insufficient_credits"
    kind = Kind.UNPAID


class NotFound(BodydoubleError):
    """There is no such object, or it belongs to another account."""

    reason = "not_found"
    kind = Kind.MISSING


class RendererUnavailable(BodydoubleError):
    """The renderer asked for does not run on this installation."""

    reason = "renderer_unavailable"
    kind = Kind.NOT_OFFERED

    def __init__(self, message: str, *, client_message: str = "", **fields: object) -> None:
        """``client_message``: instead of ``message`` where that names folders or settings of the server."""
        super().__init__(message, **fields)
        self.client_message = client_message or message


class RendererLost(BodydoubleError):
    """The model runner ended during a task; another attempt may succeed."""

    reason = "renderer_lost"


class SigningFailed(BodydoubleError):
    """A result could not be signed; the message names the setting or file, and is for the operator."""

    reason = "signing_failed"


class WorkspaceDamaged(BodydoubleError):
    """Files of a workspace changed or disappeared while a shot was made; another attempt makes them again."""

    reason = "workspace_damaged"


class ModelPackMissing(BodydoubleError):
    """The perception models are not installed; the message has the command that installs them."""

    reason = "model_pack_missing"


class Cancelled(BodydoubleError):
    """The task was cancelled."""

    reason = "cancelled"


class ResultNotStorable(BodydoubleError):
    """The database accepts the result in no attempt, for example because a text has a NUL character."""

    reason = "result_not_storable"


class StorageUnavailable(BodydoubleError):
    """The database or the file store does not respond."""

    reason = "storage_unavailable"


class StorageFull(StorageUnavailable):
    """The disk has no room for files."""

    reason = "storage_full"
    kind = Kind.FULL
