"""The service for SDKs that insist on https, and what makes Python and Node.js trust it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bodydouble.bootstrap.local_certificate import make_local_certificate
from bodydouble.settings import Settings
from node_programs import STEP_SECONDS_MAX, install_packages, run_node
from sdk_service import SdkService, open_for_sdk, running_service

SDKS = Path(__file__).parent / "javascript_sdks"


@dataclass(frozen=True, kw_only=True)
class SecureService:
    """The service, and the certificate of its authority."""

    sdk: SdkService
    authority: Path

    @property
    def host(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.sdk.live.port}"


@contextmanager
def secure_service(folder: Path) -> Iterator[SecureService]:
    """A service that speaks https; Python programs trust it until the end of the block."""
    made = make_local_certificate(Settings(data=folder / "certificates"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("BODYDOUBLE_TLS_CERT", str(made.certificate))
        environment.setenv("BODYDOUBLE_TLS_KEY", str(made.key))
        environment.setenv("SSL_CERT_FILE", str(made.authority))
        with running_service() as live:
            # Clients wait 5 s for a connection; a busy machine takes longer from the first line to the first answer.
            httpx.get(f"{live.url}/healthz", timeout=STEP_SECONDS_MAX)
            yield SecureService(sdk=open_for_sdk(live, "secure", folder), authority=made.authority)


def install_sdks(folder: Path) -> Path:
    """A folder with the programs of ``javascript_sdks`` and the official packages that they import."""
    return install_packages(SDKS, folder / "sdks")


def run_javascript(folder: Path, service: SecureService, program: str, *arguments: str) -> dict[str, Any]:
    """What a program prints, as JSON. Node.js trusts the service's certificate."""
    return run_program(folder, service.sdk, program, *arguments, NODE_EXTRA_CA_CERTS=str(service.authority))


def run_program(folder: Path, sdk: SdkService, program: str, *arguments: str, **environment: str) -> dict[str, Any]:
    """What a program prints, as JSON. Its first arguments are the service's URL, three keys and two files."""
    given = [sdk.live.url, sdk.key, sdk.poor, sdk.slow, str(sdk.files.image), str(sdk.files.video), *arguments]
    known = os.environ | {"NODE_NO_WARNINGS": "1"} | environment
    return json.loads(run_node(folder, program, *given, environment=known).splitlines()[-1])
