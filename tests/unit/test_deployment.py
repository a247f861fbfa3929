"""The files in deploy/ against the program that they start."""

import pytest
import typer.main

from bodydouble.cli import app
from bodydouble.settings import Settings
from compose_file import read_service

SECRETS = {"POSTGRES_PASSWORD": "one", "S3_SECRET_KEY": "two", "BODYDOUBLE_SECRET": "three"}
ELSEWHERE = {"DATABASE_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
"""Variables without our prefix."""


@pytest.mark.parametrize("name", ["api", "worker"])
def test_a_service_starts_with_known_options_and_settings(name: str, monkeypatch: pytest.MonkeyPatch):
    """Its command can be parsed, and each of its variables is a setting with a valid value."""
    service = read_service(name, SECRETS)

    command = typer.main.get_command(app).commands[service.command[0]]  # pyright: ignore[reportAttributeAccessIssue]
    command.make_context(service.command[0], list(service.command[1:]))
    for variable, value in service.environment.items():
        monkeypatch.setenv(variable, value)
    settings = Settings()

    ours = {variable.removeprefix("BODYDOUBLE_").lower() for variable in service.environment.keys() - ELSEWHERE}
    assert ours <= Settings.model_fields.keys()
    assert settings.database_url == "postgresql://bodydouble:one@database/bodydouble"
    assert "endpoint=http://files:8333&" in settings.bucket


def test_a_missing_secret_is_named():
    """Without its secrets the file is refused, as Compose does."""
    with pytest.raises(KeyError, match="POSTGRES_PASSWORD: set it"):
        read_service("api", {})
