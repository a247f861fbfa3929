"""What doctor says of perception for the quality renderer."""

from pathlib import Path

import pytest

from bodydouble.cli import examination
from bodydouble.cli.examination import examine
from bodydouble.renderers.wan.cards import Card
from bodydouble.settings import Settings

SUBJECT = "perception (renderer wan)"
CARD = Card(uuid="GPU-1", name="Card", memory_bytes=80 * 10**9, capability=(9, 0))


def finding(tmp_path: Path, **settings: str) -> examination.Finding:
    """The one about perception."""
    return next(f for f in examine(Settings(data=tmp_path, **settings)) if f.subject == SUBJECT)


def test_without_a_card_it_is_on_the_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is told, and where the operator chose it, that he did."""
    monkeypatch.setattr(examination, "find_cards", list)
    found = finding(tmp_path)
    assert (found.state, found.detail) == ("absent", "on the CPU: no NVIDIA GPU here")
    assert finding(tmp_path, perception_backend="cpu").detail == "on the CPU, as perception_backend says"


def test_a_model_that_is_not_here_is_named_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a card, what keeps it from being used stands there, and how to bring the models."""
    monkeypatch.setattr(examination, "find_cards", lambda: [CARD])
    monkeypatch.setattr(examination, "gpu_obstacle", lambda options: f"the pose model is not here: {options.pose}")
    found = finding(tmp_path, perception_pose="somebody/pose")
    assert (found.state, found.detail) == ("absent", "on the CPU: the pose model is not here: somebody/pose")
    assert "hf download somebody/pose" in found.mend
    monkeypatch.setattr(examination, "gpu_obstacle", lambda options: None)
    assert finding(tmp_path).detail.startswith("on cuda: PekingU/rtdetr_v2_r50vd, ")
