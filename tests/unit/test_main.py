"""The program's entry point."""

import sys

import pytest

from bodydouble.__main__ import main


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_an_unsupported_platform_ends_with_one_sentence(monkeypatch: pytest.MonkeyPatch, platform: str):
    """The message names the platforms and the way out; no traceback, no import of the command line."""
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setitem(sys.modules, "bodydouble.cli", None)  # an import would raise

    with pytest.raises(SystemExit, match=r"^bodydouble runs on Linux .*container.*bodydouble-client") as ended:
        main()

    assert "\n" not in str(ended.value)


def test_the_program_runs_the_command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """``bodydouble --version`` prints the version and succeeds."""
    monkeypatch.setattr(sys, "argv", ["bodydouble", "--version"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code in (0, None)
    assert capsys.readouterr().out.startswith("bodydouble ")
