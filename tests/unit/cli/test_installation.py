"""How a command finds the installation that it works on."""

import os
import shlex
import socket
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bodydouble.api.client_origin import AllowedHosts
from bodydouble.cli import app, serve
from bodydouble.cli.data_folder import locked
from bodydouble.cli.installation import find_installation
from bodydouble.cli.machine_checks import check_machine
from bodydouble.cli.running_services import register_service, running_services, service_of
from bodydouble.settings import Settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without an installation, and no settings."""
    for name in ("DATABASE_URL", "BODYDOUBLE_DATA"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "elsewhere"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A data folder with an embedded database."""
    (tmp_path / "data" / "postgres").mkdir(parents=True)
    return tmp_path / "data"


@pytest.mark.parametrize(
    "command", [["keys", "create"], ["accounts", "create", "studio"], ["tasks", "ls"], ["switch", "ls"]]
)
def test_no_operator_command_creates_an_installation(command, elsewhere, monkeypatch):
    """In a wrong folder each of them says where it looked, and leaves the folder empty."""
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 2
    assert f"looked in {elsewhere / 'bodydouble-data'}" in result.stderr
    assert "no `serve` runs on this machine" in result.stderr
    assert list(elsewhere.iterdir()) == []


def test_the_running_service_is_found_from_any_folder(installed, capsys):
    """A single running service with a database of its own is the installation; the command says so."""
    settings = Settings(data=installed)
    with locked(installed), register_service(settings):
        assert find_installation(None).data == installed
        assert str(installed) in capsys.readouterr().err
        with pytest.raises(typer.Exit):
            find_installation(Path("nowhere"))  # what was named is not replaced
    with pytest.raises(typer.Exit):
        find_installation(None)


def test_a_killed_service_is_not_running(installed, tmp_path):
    """Its file is removed: neither a reused process id nor an old file leads anywhere."""
    with register_service(Settings(data=installed)):
        assert running_services() == []  # this process does not hold the folder
    with locked(installed), register_service(Settings(data=installed, port=4711)):
        (service,) = running_services()
        assert (service.pid, service.base_url) == (os.getpid(), "http://127.0.0.1:4711")
        assert service_of(installed) == service
        assert service_of(tmp_path) is None


def test_doctor_names_the_running_service(installed):
    """Its port is not reported as in use by another program."""
    settings = Settings(data=installed, port=4711)
    with locked(installed), register_service(settings):
        (port,) = (f for f in check_machine(settings) if f.subject == "port")
    assert (port.state, f"http://127.0.0.1:4711, pid {os.getpid()}" in port.detail) == ("good", True)


def test_a_service_with_its_own_certificate_prints_how_clients_trust_it(tmp_path, capsys):
    """One line for a shell: Python, its package requests, and Node.js each read a variable of their own."""
    serve._with_certificate(Settings(data=tmp_path / "a folder"), self_signed=True)
    (line,) = capsys.readouterr().out.splitlines()
    command, *assigned = shlex.split(line.removeprefix("trust it: "))
    authority = str(tmp_path / "a folder" / "tls" / "authority.pem")
    assert command == "export"
    assert dict(pair.split("=", 1) for pair in assigned) == dict.fromkeys(
        ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), authority
    )


def test_a_service_for_all_addresses_names_one_that_others_can_open(capsys):
    """Links name the host of a request, callbacks this machine and not 0.0.0.0; an address of the operator's stays."""
    settings = serve._with_public_url(Settings(host="0.0.0.0", port=8123))
    assert settings.base_url.startswith("http://")
    assert "0.0.0.0" not in settings.base_url
    assert settings.base_url.endswith(":8123")
    assert settings.base_url in capsys.readouterr().err
    hosts = AllowedHosts.parse(settings.link_hosts)
    assert all(hosts.allow(host) for host in ("localhost", "127.0.0.1", "192.168.1.7", "::1", socket.gethostname()))
    assert not hosts.allow("elsewhere.example")
    chosen = Settings(host="0.0.0.0", public_url="https://video.example.com")
    assert serve._with_public_url(chosen).base_url == "https://video.example.com"
    assert serve._with_public_url(chosen).link_hosts == [], "a proxy may send any host"
    assert serve._with_public_url(Settings(host="127.0.0.1")).base_url == "http://127.0.0.1:8000"
