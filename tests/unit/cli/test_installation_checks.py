"""Findings of ``doctor`` about an installation of several machines."""

import asyncio
from pathlib import Path

import psycopg
import pytest

from bodydouble.bootstrap.admin_services import create_first_key
from bodydouble.bootstrap.stores import adopt_secret
from bodydouble.cli.installation_checks import check_installation
from bodydouble.settings import Settings
from bodydouble.tasks.errors import InputRejected


def machine(folder: Path, database: str, secret: str) -> Settings:
    """The settings of one machine."""
    return Settings(data=folder, DATABASE_URL=database, secret=secret)  # pyright: ignore[reportCallIssue]


def findings(settings: Settings) -> dict[str, str]:
    """State by subject."""
    return {finding.subject: finding.state for finding in check_installation(settings)}


@pytest.fixture
def first(tmp_path: Path, fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The first machine, which has started."""
    for name in ("DATABASE_URL", "BODYDOUBLE_SECRET", "BODYDOUBLE_FILES"):
        monkeypatch.delenv(name, raising=False)
    settings = machine(tmp_path / "first", fresh_database, "the first one's secret")
    assert asyncio.run(create_first_key(settings, fresh_database))
    return settings


def test_a_machine_with_another_secret_is_rejected(first: Settings, tmp_path: Path) -> None:
    """It does not start, doctor reports it, and serve --new-secret accepts the change."""
    second = machine(tmp_path / "second", first.database_url, "quite another secret")
    assert "secret" not in findings(first)
    assert findings(second)["secret"] == "bad"
    with pytest.raises(InputRejected, match="another secret"):
        asyncio.run(create_first_key(second, second.database_url))
    asyncio.run(adopt_secret(second, second.database_url))
    assert "secret" not in findings(second)
    assert findings(first)["secret"] == "bad"


def test_workers_are_alive_silent_or_of_another_version(first: Settings) -> None:
    """Their last heartbeat decides; a worker that stopped in order is not reported."""
    assert findings(first) == {"database": "good", "file store": "good", "workers": "absent"}
    with psycopg.connect(first.database_url) as connection:
        connection.execute(
            "insert into executor (id, host, pid, version, beat_at, stopped_at) values "
            "('a', 'a', 1, '0', now(), null), ('b', 'b', 2, '0', now() - interval '1 hour', null), "
            "('c', 'c', 3, '0', now() - interval '1 hour', now())"
        )
    found = list(check_installation(first))
    assert {f.subject: f.state for f in found}["workers"] == "good"
    assert [f.detail[0] for f in found if f.subject == "silent worker"] == ["b"]
    assert [f.detail[0] for f in found if f.subject == "version"] == ["a"]


def test_a_missing_database_is_reported(first: Settings, tmp_path: Path) -> None:
    """It does not answer, or contains no installation."""
    away = machine(tmp_path / "away", "postgresql://postgres@/postgres?host=/nonexistent", "a secret of its own")
    assert findings(away) == {"database": "bad"}
    with psycopg.connect(first.database_url) as connection:
        connection.execute("drop table installation")
    assert findings(first) == {"database": "bad"}
    assert findings(machine(tmp_path / "alone", "", "a secret of its own")) == {}
