"""The use cases of one installation."""

from dataclasses import dataclass

from bodydouble.service.accounts import AccountService
from bodydouble.service.callbacks import CallbackService
from bodydouble.service.people import PeopleService
from bodydouble.service.signing import InstallationSigner
from bodydouble.service.tasks import TaskService
from bodydouble.service.verification import VerificationService


@dataclass(frozen=True, kw_only=True)
class Services:
    """The use cases that clients have."""

    tasks: TaskService
    accounts: AccountService
    callbacks: CallbackService
    signer: InstallationSigner
    people: PeopleService
    verification: VerificationService
