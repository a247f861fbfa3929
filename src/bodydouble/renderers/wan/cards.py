"""Which NVIDIA cards this machine has. Asked of the driver's own program: importing torch takes seconds."""

import os
import subprocess
from dataclasses import dataclass

LOOK_SECONDS_MAX = 20


@dataclass(frozen=True, kw_only=True)
class Card:
    """One GPU."""

    name: str
    memory_bytes: int
    capability: tuple[int, int]  # 8.0 Ampere, 8.9 Ada, 9.0 Hopper, 10.0 and 12.0 Blackwell


def find_cards() -> list[Card]:
    """All of them, in the driver's order; those that CUDA_VISIBLE_DEVICES leaves."""
    command = ["nvidia-smi", "--query-gpu=name,memory.total,compute_cap", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=LOOK_SECONDS_MAX, check=True).stdout
        cards = [_card(line) for line in answer.strip().splitlines()]
    except (OSError, subprocess.SubprocessError, ValueError):
        return []
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return cards
    numbers = [int(n) for n in visible.split(",") if n.strip().isdigit()]
    if visible.strip() and not numbers:  # given by UUID: some of them, and we cannot tell which
        return cards
    return [cards[n] for n in numbers if n < len(cards)]


def _card(line: str) -> Card:
    name, megabytes, capability = (part.strip() for part in line.rsplit(",", 2))
    major, minor = capability.split(".")
    return Card(name=name, memory_bytes=int(megabytes) * 1024**2, capability=(int(major), int(minor)))
