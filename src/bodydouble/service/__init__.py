"""The use cases: tasks, prices, keys, credits, callbacks, uploads, sign-in, operation."""

from bodydouble.service.accounts import AccountService
from bodydouble.service.callbacks import CallbackContent, CallbackService
from bodydouble.service.callers import Caller
from bodydouble.service.inputs import Submission
from bodydouble.service.operation import OperationService
from bodydouble.service.people import PeopleSeen, PeopleService, PersonSeen
from bodydouble.service.pricing import Price
from bodydouble.service.proxies import ProxyService
from bodydouble.service.quality import QualityService
from bodydouble.service.services import Services
from bodydouble.service.sessions import SessionLimits, SessionService, sign_in_url
from bodydouble.service.tasks import TaskPage, TaskService
from bodydouble.service.verification import VerificationService
from bodydouble.service.views import TaskView

__all__ = [
    "AccountService",
    "CallbackContent",
    "CallbackService",
    "Caller",
    "OperationService",
    "PeopleSeen",
    "PeopleService",
    "PersonSeen",
    "Price",
    "ProxyService",
    "QualityService",
    "Services",
    "SessionLimits",
    "SessionService",
    "Submission",
    "TaskPage",
    "TaskService",
    "TaskView",
    "VerificationService",
    "sign_in_url",
]
