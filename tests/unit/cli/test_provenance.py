"""``provenance init``, and what an installation signs with."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bodydouble.bootstrap.provenance import local_signing_options, signing_options
from bodydouble.cli import app
from bodydouble.provenance.options import signer_file
from bodydouble.provenance.signer import read_credentials
from bodydouble.settings import Settings
from bodydouble.tasks.errors import SigningFailed


def test_an_authority_is_made_once_and_its_signer_rotated(tmp_path: Path) -> None:
    """The signer has the given name, a second init is refused, and --rotate replaces the key under the same name."""
    command = ["provenance", "init", "--data", str(tmp_path)]
    made = CliRunner().invoke(app, [*command, "--organisation", "Example Studios"])
    assert made.exit_code == 0, made.output
    options = signing_options(Settings(data=tmp_path))
    assert options is not None
    before = read_credentials(options)
    assert before.name == "Example Studios"
    assert before.key is not None
    assert before.key.decode() not in made.output
    assert CliRunner().invoke(app, command).exit_code == 1
    assert CliRunner().invoke(app, [*command, "--rotate"]).exit_code == 0
    after = read_credentials(options)
    assert (after.name, after.key == before.key) == ("Example Studios", False)


def test_a_service_without_settings_makes_its_own_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data folder gets one at the first start. A command without a service uses the user's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    settings = Settings(data=tmp_path / "data")
    local = local_signing_options(settings)
    assert local is not None
    assert local.certificate == signer_file(tmp_path / "home" / "bodydouble" / "provenance")
    assert not settings.data.exists()
    service = signing_options(settings)
    assert service is not None
    assert service.certificate == signer_file(settings.data / "provenance")
    assert local_signing_options(settings) == service
    assert signing_options(Settings(data=tmp_path / "other", provenance=False)) is None


def test_a_command_needs_a_certificate(tmp_path: Path) -> None:
    """The message names the setting that is missing."""
    with pytest.raises(SigningFailed, match="provenance_certificate"):
        signing_options(Settings(data=tmp_path, provenance_command="sign --key 1"))


def test_verify_reports_the_marks_of_any_file(tmp_path: Path) -> None:
    """A file without marks is no failure, and the answer says what that means."""
    (tmp_path / "text").write_text("no media")
    done = CliRunner().invoke(app, ["verify", str(tmp_path / "text")])
    assert (done.exit_code, "That proves nothing" in done.output) == (0, True)
    as_json = CliRunner().invoke(app, ["verify", str(tmp_path / "text"), "--json"])
    assert json.loads(as_json.stdout) == {"layers": [], "generated": None}
