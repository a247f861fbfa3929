"""Settings at the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bodydouble.cli import app


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, without a file of settings at first."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_unknown_variable_is_rejected_with_the_nearest_name(monkeypatch):
    """A misspelt variable is an error and not the default value."""
    monkeypatch.setenv("BODYDOUBLE_MEDIA_DAY", "3")
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 2
    assert "environment variable BODYDOUBLE_MEDIA_DAY is not a setting; did you mean BODYDOUBLE_MEDIA_DAYS?" in (
        result.stderr
    )


def test_an_unknown_name_in_the_file_is_rejected(folder):
    """The message names the file."""
    (folder / "bodydouble.toml").write_text("prot = 80\n")
    result = CliRunner().invoke(app, ["settings"])
    assert result.exit_code == 2
    assert f"prot in {folder / 'bodydouble.toml'} is not a setting; did you mean port?" in result.stderr


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORT", "eighty", "a whole number"),
        ("MEDIA_DAYS", "0", "more than 0"),
        ("TASKS_ACTIVE_MAX", "0", "at least 1"),
        ("LOG_JSON", "maybe", "true or false"),
        ("BODY_BYTES_MAX", "-1", "at least 1"),
        ("MEDIA_DAYS", "inf", "at most 36500"),
        ("SIGN_IN_LINK_MINUTES", "1e300", "at most 52560000"),
        ("PUBLIC_URL", "ftp://x", "a URL that starts with http:// or https://"),
        (
            "OUTBOUND_ALLOW",
            "10.0.0.0/8, 300.0.0.0/8",
            "networks such as 10.0.0.0/8, separated by commas ('300.0.0.0/8'",
        ),
        ("PORT", "99999", "at most 65535"),
        ("WAN_PROFILE", "best", "'auto', 'quality', 'balanced' or 'fast'"),
    ],
)
def test_an_invalid_value_is_explained(name, value, expected, monkeypatch):
    """The message says in words what the setting accepts."""
    monkeypatch.setenv(f"BODYDOUBLE_{name}", value)
    result = CliRunner().invoke(app, ["settings"])
    assert result.exit_code == 2
    assert f"setting {name.lower()}: '{value}' is not valid; expected {expected}" in result.stderr


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("media_days = [1]", "a number"),
        ("port = []", "a whole number"),
        ("secret = 5", "text"),
        ("credits_per_second = 5", "a table of names and values"),
    ],
)
def test_a_wrong_type_in_the_file_is_explained(folder, line, expected):
    """A value of the wrong TOML type gets the same words as a variable."""
    (folder / "bodydouble.toml").write_text(line + "\n")
    result = CliRunner().invoke(app, ["settings"])
    assert result.exit_code == 2
    assert result.stderr.strip().endswith(f"is not valid; expected {expected}")


def test_the_clients_variables_are_known(monkeypatch):
    """The Python client's variables may be set beside the service's."""
    monkeypatch.setenv("BODYDOUBLE_API_KEY", "ak_0")
    monkeypatch.setenv("BODYDOUBLE_BASE_URL", "http://127.0.0.1:8000")
    assert CliRunner().invoke(app, ["settings"]).exit_code == 0


def test_every_setting_is_printed_with_its_origin(folder, monkeypatch):
    """The environment, the file, the command line or the default; secrets are hidden."""
    monkeypatch.setenv("BODYDOUBLE_PORT", "81")
    monkeypatch.setenv("BODYDOUBLE_SECRET", "quiet")
    (folder / "bodydouble.toml").write_text("media_days = 3\nport = 80\n")
    result = CliRunner().invoke(app, ["settings", "--json", "--data", "here"])
    found = {line["name"]: (line["value"], line["origin"]) for line in json.loads(result.stdout)}
    assert found["port"] == (81, "BODYDOUBLE_PORT")
    assert found["media_days"] == (3, "bodydouble.toml")
    assert found["host"] == ("127.0.0.1", "default")
    assert found["data"] == ("here", "command line")
    assert found["secret"] == ("(hidden)", "BODYDOUBLE_SECRET")
    assert "quiet" not in result.stdout
    assert "media_days" in CliRunner().invoke(app, ["settings"]).stdout
