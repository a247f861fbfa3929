"""Values of arguments and options."""

import pytest
import typer

from bodydouble.cli.values import parse_moment


@pytest.mark.parametrize("text", ["999999999d", "99999999999d", "9" * 5000 + "d"])
@pytest.mark.parametrize("past", [True, False])
def test_a_duration_beyond_the_calendar_is_too_long(text, past, capsys):
    """A duration that leads beyond the years of Python's dates ends the command with one line and status 2."""
    with pytest.raises(typer.Exit) as exit_:
        parse_moment(text, "--since", past=past)
    assert exit_.value.exit_code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: --since: ")
    assert error.strip().endswith("is too long")
