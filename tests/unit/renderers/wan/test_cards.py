"""GPUs found through nvidia-smi and CUDA_VISIBLE_DEVICES."""

import os
from pathlib import Path

import pytest

from bodydouble.renderers.wan.cards import Card, find_cards

ANSWER = """GPU-aa11, NVIDIA H100 80GB HBM3, 81559, 9.0
GPU-bb22, Quadro K620, 2048, 5.0
GPU-cc33, NVIDIA GeForce RTX 4090, 24564, 8.9
"""


def install_nvidia_smi(answer: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put an ``nvidia-smi`` that prints ``answer`` first on PATH."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\ncat <<END\n{answer}END\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nvidia-smi of a machine with three GPUs."""
    install_nvidia_smi(ANSWER, tmp_path, monkeypatch)


def test_cards_of_the_machine(driver: None) -> None:
    """Each has its UUID, name, memory and capability."""
    first, *_ = find_cards()
    memory_bytes = 81559 * 1024**2
    assert first == Card(uuid="GPU-aa11", name="NVIDIA H100 80GB HBM3", memory_bytes=memory_bytes, capability=(9, 0))


@pytest.mark.parametrize(
    ("visible", "left"),
    [
        ("2,0", ["GPU-cc33", "GPU-aa11"]),
        ("GPU-cc", ["GPU-cc33"]),
        ("GPU-bb22,0", ["GPU-bb22", "GPU-aa11"]),
        ("MIG-5", ["MIG-5"]),
        ("7", []),
        ("", []),
    ],
)
def test_cards_that_are_left(driver: None, monkeypatch: pytest.MonkeyPatch, visible: str, left: list[str]) -> None:
    """Indices, UUIDs and UUID prefixes select GPUs, in the given order."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [card.uuid for card in find_cards()] == left


def test_a_card_without_memory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU without memory of its own reports the machine's memory."""
    install_nvidia_smi("GPU-dd44, NVIDIA GB10, [N/A], 12.1\n", tmp_path, monkeypatch)
    (card,) = find_cards()
    assert card.capability == (12, 1)
    assert card.memory_bytes == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_no_driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without nvidia-smi there are no GPUs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_cards() == []
