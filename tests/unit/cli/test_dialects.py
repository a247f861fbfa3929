"""The list of dialects at the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bodydouble.api.dialects import DIALECTS
from bodydouble.cli import app
from bodydouble.cli.running_services import RunningService


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The list of an installation at an address of its own, without kie's dialect."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BODYDOUBLE_PUBLIC_URL", "https://bd.example")
    monkeypatch.setenv("BODYDOUBLE_DIALECTS_OFF", "kie")
    result = CliRunner().invoke(app, ["dialects", "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_every_dialect_has_an_address_below_that_of_the_service(listed: list[dict[str, Any]]) -> None:
    """Each dialect is listed, with the prefix of its paths. Hosts of fal have no scheme: its client adds one."""
    assert {entry["dialect"] for entry in listed} == set(DIALECTS)
    values = {entry["give_as"]: entry["value"] for entry in listed}
    assert values["DASHSCOPE_HTTP_BASE_URL"] == "https://bd.example/dashscope/api/v1"
    assert values["FAL_RUN_HOST"] == "bd.example/fal/run"


def test_a_dialect_that_is_off_is_marked(listed: list[dict[str, Any]]) -> None:
    """``served`` tells whether the setting switches a dialect off."""
    assert {entry["dialect"] for entry in listed if not entry["served"]} == {"kie"} & set(DIALECTS)


def test_the_addresses_are_those_of_the_running_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have the port of the service that runs on this data folder, not the default one."""
    running = RunningService(pid=1, data=str(tmp_path), base_url="http://127.0.0.1:4711", own_database=True)
    monkeypatch.setattr("bodydouble.cli.running_services.service_of", lambda at: running if at == tmp_path else None)
    result = CliRunner().invoke(app, ["dialects", "--json", "--data", str(tmp_path)])
    assert "127.0.0.1:4711/fal/run" in [entry["value"] for entry in json.loads(result.stdout)]


def test_the_table_shows_what_to_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For people, a table names the variable and its value."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["dialects"], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    assert "REPLICATE_BASE_URL" in result.stdout
