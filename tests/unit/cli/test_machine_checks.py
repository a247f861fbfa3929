"""Findings of ``doctor`` about the wan renderer and its perception."""

from pathlib import Path
from typing import Any

import pytest

from bodydouble.cli import machine_checks
from bodydouble.cli.machine_checks import check_machine
from bodydouble.provenance.authority import make_authority
from bodydouble.renderers.wan.cards import Card
from bodydouble.settings import Settings

SUBJECT = "perception (renderer wan)"
RENDERER = "GPU (renderer wan)"
CARD = Card(uuid="GPU-1", name="Card", memory_bytes=80 * 10**9, capability=(9, 0))


def finding(tmp_path: Path, subject: str = SUBJECT, **settings: Any) -> machine_checks.Finding:
    """The one about ``subject``."""
    return next(f for f in check_machine(Settings(data=tmp_path, **settings)) if f.subject == subject)


def test_a_renderer_on_the_cpu_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finding names the setting; if there is a GPU, it says that it is not used."""
    chosen = "on the CPU, because wan_device says so: for tests with tiny weights"
    monkeypatch.setattr(machine_checks, "find_cards", list)
    monkeypatch.setattr(machine_checks, "wan_obstacle", lambda options: None)
    found = finding(tmp_path, RENDERER, wan_device="cpu")
    assert (found.state, found.detail, found.remedy) == ("good", chosen, "")
    assert finding(tmp_path, RENDERER).detail.startswith("no NVIDIA GPU")
    monkeypatch.setattr(machine_checks, "find_cards", lambda: [CARD])
    monkeypatch.setattr(machine_checks, "wan_obstacle", lambda options: "torch not installed: pip install torch")
    found = finding(tmp_path, RENDERER, wan_device="cpu")
    assert (found.state, found.detail) == ("absent", f"{chosen}; Card is not used")
    assert found.remedy == "torch not installed: pip install torch"


def test_without_a_gpu_perception_is_on_the_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finding gives the reason: no GPU, or the setting."""
    monkeypatch.setattr(machine_checks, "find_cards", list)
    found = finding(tmp_path)
    assert (found.state, found.detail) == ("absent", "on the CPU: no NVIDIA GPU")
    assert finding(tmp_path, perception_backend="cpu").detail == "on the CPU, because perception_backend says so"


def test_a_missing_model_is_named_with_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a GPU, the finding passes on what is missing, and names the command that downloads the model."""
    monkeypatch.setattr(machine_checks, "find_cards", lambda: [CARD])
    monkeypatch.setattr(machine_checks, "gpu_obstacle", lambda options: f"(why {options.pose} cannot run)")
    found = finding(tmp_path, perception_pose="somebody/pose")
    assert (found.state, found.detail) == ("absent", "on the CPU: (why somebody/pose cannot run)")
    assert "hf download somebody/pose" in found.remedy
    monkeypatch.setattr(machine_checks, "gpu_obstacle", lambda options: None)
    assert finding(tmp_path).detail.startswith("on cuda: PekingU/rtdetr_v2_r50vd, ")


def test_signing_is_checked_before_a_result_fails(tmp_path: Path) -> None:
    """Without an authority all is well; its name and end are shown; a certificate that cannot be used is named."""
    assert finding(tmp_path, "signing").state == "good"
    make_authority(tmp_path / "provenance", "Example Studios")
    assert finding(tmp_path, "signing").detail.startswith("as Example Studios, until ")
    (tmp_path / "empty.pem").write_text("")
    wrong = finding(tmp_path, "signing", provenance_certificate=tmp_path / "empty.pem")
    assert (wrong.state, "empty.pem" in wrong.detail) == ("bad", True)
    assert finding(tmp_path, "signing", provenance=False).state == "absent"
