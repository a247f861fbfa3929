"""Builds the services over the stores."""

import os
import socket
from collections.abc import Callable
from functools import cache

from bodydouble.bootstrap.options import media_limits, renderer_settings
from bodydouble.bootstrap.provenance import trust_anchors
from bodydouble.bootstrap.stores import Stores, open_scratch, open_secret, open_signer
from bodydouble.outbound import address_check, parse_networks
from bodydouble.renderers.registry import AUTO, Renderers, installed_plugins
from bodydouble.service import (
    AccountService,
    CallbackService,
    OperationService,
    PeopleService,
    Services,
    SessionLimits,
    SessionService,
    TaskService,
    VerificationService,
)
from bodydouble.service.media_check import LimitedMediaCheck
from bodydouble.service.metrics import MetricsService
from bodydouble.settings import Settings
from bodydouble.tasks.catalogue import CATALOGUE, priced
from bodydouble.tasks.errors import RendererUnavailable
from bodydouble.tasks.files import FileStore
from bodydouble.tasks.task import CreateLimits
from bodydouble.worker.inspection.pool import InspectionPool
from bodydouble.worker.own_command import OwnCommand

SIGNATURE_BYTES_MAX = 20_000_000
"""Room for the manifests of inputs and results, above the limit on videos."""


def build_services(settings: Settings, stores: Stores, files: FileStore, inspections: InspectionPool) -> Services:
    """The services over these stores and files. ``inspections`` look at files in other processes."""
    part = open_scratch(settings).part
    return Services(
        tasks=TaskService(
            stores.tasks,
            stores.accounts,
            stores.switches,
            files,
            LimitedMediaCheck(files, media_limits(settings), part, inspections.inspect),
            _renderer_check(settings),
            address_check(parse_networks(settings.outbound_allow)),
            CreateLimits(creates_per_minute=settings.creates_per_minute, active_max=settings.tasks_active_max),
            deadline_seconds=settings.task_hours_max * 3600,
            inline_bytes_max=settings.data_url_bytes_max,
            consent_required=settings.consent_required,
            catalogue=priced(settings.credits_per_second),
        ),
        accounts=AccountService(stores.accounts, open_secret(settings)),
        callbacks=CallbackService(stores.tasks, stores.deliveries),
        signer=open_signer(settings),
        people=PeopleService(files, OwnCommand(settings.models).find_people, part),
        verification=VerificationService(
            stores.tasks,
            lambda path: inspections.read_marks(path, trust_anchors(settings)),
            part,
            settings.video_bytes_max + SIGNATURE_BYTES_MAX,
        ),
    )


def renderers_by_mode(settings: Settings) -> dict[str, list[str]]:
    """Mode → the renderers of this installation that can make it, best first."""
    renderers = _renderers(settings)
    modes = dict.fromkeys(model.mode for model in CATALOGUE.values())
    return {mode: renderers.available(mode) for mode in modes}


def _renderers(settings: Settings) -> Renderers:
    return Renderers(renderer_settings(settings), elsewhere=["wan"] if settings.wan_on_workers else [])


def _renderer_check(settings: Settings) -> Callable[[str, str], str]:
    @cache  # every create asks, and looking for packages and weights takes longer than all the rest of a create
    def check(name: str, mode: str) -> str:
        resolved = _renderers(settings).resolve(name, mode).name
        if name == AUTO and resolved == "puppet" and not settings.puppet_fallback:
            raise RendererUnavailable(
                "renderer: this installation makes no CPU previews and has no GPU renderer at the moment.",
                field="renderer",
            )
        return resolved

    return check


async def open_metrics(settings: Settings, stores: Stores, process_kind: str) -> MetricsService:
    """This process's reporter; ``process_kind`` is api or worker. Raises StorageUnavailable."""
    return MetricsService(
        stores.metrics,
        stores.queue,
        stores.switches,
        process=f"{socket.gethostname()}:{os.getpid()}",
        process_kind=process_kind,
        connections=lambda: stores.database.connections,
        takeover_seconds=settings.takeover_seconds,
        bounds=await stores.metrics.bucket_bounds(),
    )


def build_operation(settings: Settings, stores: Stores, tasks: TaskService) -> OperationService:
    return OperationService(
        tasks=stores.tasks,
        accounts=stores.accounts,
        deliveries=stores.deliveries,
        executors=stores.executors,
        queue=stores.queue,
        switches=stores.switches,
        task_service=tasks,
        takeover_seconds=settings.takeover_seconds,
        renderers=[plugin.name for plugin in installed_plugins()],
    )


def build_sessions(settings: Settings, stores: Stores) -> SessionService:
    limits = SessionLimits(
        link_seconds=settings.sign_in_link_minutes * 60, session_seconds=settings.session_hours * 3600
    )
    return SessionService(stores.sessions, stores.accounts, limits)
