"""Settings from environment and file."""

import importlib.util
import re
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from bodydouble.settings import Settings


@pytest.fixture(autouse=True)
def empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without a file, an environment without our variables."""
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "BODYDOUBLE_PORT", "BODYDOUBLE_PUBLIC_URL", "BODYDOUBLE_HOST"):
        monkeypatch.delenv(name, raising=False)


def test_defaults_are_for_one_laptop() -> None:
    """Without any setting the service is on the loopback with its own database."""
    settings = Settings()
    assert (settings.host, settings.database_url, settings.base_url) == ("127.0.0.1", "", "http://127.0.0.1:8000")


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """bodydouble.toml is read, and a variable overrides it."""
    (tmp_path / "bodydouble.toml").write_text('port = 9000\npublic_url = "https://video.example/"\n')
    assert Settings().port == 9000
    monkeypatch.setenv("BODYDOUBLE_PORT", "9001")
    assert (Settings().port, Settings().base_url) == (9001, "https://video.example")


def test_the_database_has_its_usual_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """DATABASE_URL goes without the prefix."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/x")
    assert Settings().database_url == "postgresql://db/x"


def test_settings_can_be_shown() -> None:
    """Nothing secret is in their text, which tracebacks and logs may hold."""
    secrets = {name: f"{name} that nobody may see" for name in ("secret", "metrics_token", "oidc_client_secret")}
    shown = repr(Settings(DATABASE_URL="postgresql://me:word@db/x", **secrets))  # pyright: ignore[reportCallIssue]
    assert "nobody" not in shown
    assert "word@" not in shown


def test_settings_are_frozen_and_checked() -> None:
    """Nobody changes them later, and a wrong value is named."""
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]
    with pytest.raises(ValidationError, match="port"):
        Settings(port="many")  # type: ignore[arg-type]


def test_prices_are_of_known_resolutions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prices come as JSON, exact; a resolution that there is not is named."""
    monkeypatch.setenv("BODYDOUBLE_CREDITS_PER_SECOND", '{"480P": 0.1}')
    assert Settings().credits_per_second == {"480P": Decimal("0.1")}
    monkeypatch.setenv("BODYDOUBLE_CREDITS_PER_SECOND", '{"4K": 60}')
    with pytest.raises(ValidationError, match="4K"):
        Settings()


def test_the_reference_is_the_generated_one() -> None:
    """``docs/settings.md`` equals the generator's output, and every setting has a meaning there."""
    path = Path(__file__).parents[2] / "tools" / "generate_settings_reference.py"
    spec = importlib.util.spec_from_file_location("generate_settings_reference", path)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.TARGET.read_text() == tool.generated(), "run `make reference`"
    rows = re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", tool.generated(), re.MULTILINE)
    assert len(rows) == len(Settings.model_fields)
    assert [name for name, meaning in rows if not meaning.strip()] == []
