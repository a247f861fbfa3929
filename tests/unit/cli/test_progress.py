"""The progress of a command."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from bodydouble.cli.progress import LINE_STEP, ProgressDisplay
from bodydouble.cli.task_report import _plain_facts
from bodydouble.tasks.stages import Stage

NOISY = """
import os
from bodydouble.cli.progress import without_library_noise
with without_library_noise():
    os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\\n")
    os.write(2, b"what the user has to see\\n")
"""


def test_without_a_terminal_each_tenth_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A log file shows every stage and how far it is, without a bar."""
    with ProgressDisplay() as display:
        for step in range(101):
            display.show(SimpleNamespace(stage=Stage.RENDER, fraction=step / 100, segment=None, segments=None))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == round(1 / LINE_STEP) + 1
    assert (lines[0].split()[0], lines[-1].split()[0]) == ("0%", "100%")
    assert all(line.endswith("rendering") for line in lines)


def test_the_networks_do_not_write_over_the_bar() -> None:
    """The start-up line of TensorFlow Lite is dropped; every other line of a library is shown."""
    done = subprocess.run([sys.executable, "-c", NOISY], capture_output=True, text=True, check=True)
    assert done.stderr == "what the user has to see\n"


def test_a_value_is_shown_in_words() -> None:
    """No Python expression: a list is separated by commas, a flag is yes or no, and an absent value is left out."""
    value = {"urls": ["a", "b"], "keep": True, "seed": None, "warnings": [{"code": "x"}]}
    assert _plain_facts("input", value) == [
        ("input.urls", "a, b"),
        ("input.keep", "yes"),
        ("input.warnings.1.code", "x"),
    ]
