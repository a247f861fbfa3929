"""NVIDIA GPUs of this machine, from nvidia-smi: importing torch takes seconds."""

import os
import subprocess
from dataclasses import dataclass, replace

LOOK_SECONDS_MAX = 20
"""Limit of one call of nvidia-smi."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """One GPU."""

    uuid: str  # for CUDA_VISIBLE_DEVICES; numbers depend on the driver's and CUDA's order
    name: str
    memory_bytes: int
    capability: tuple[int, int]  # 8.0 Ampere, 8.9 Ada, 9.0 Hopper, 10.0 and 12.0 Blackwell


def find_cards() -> list[Card]:
    """All GPUs in the driver's order; if CUDA_VISIBLE_DEVICES is set, those that it names, in its order."""
    command = ["nvidia-smi", "--query-gpu=uuid,name,memory.total,compute_cap", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=LOOK_SECONDS_MAX, check=True).stdout
        cards = [_card(line) for line in answer.strip().splitlines()]
    except (OSError, subprocess.SubprocessError, ValueError):
        return []
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return cards
    return [card for word in visible.split(",") for card in _named(word.strip(), cards)]


def _named(word: str, cards: list[Card]) -> list[Card]:
    """The GPU that ``word`` of CUDA_VISIBLE_DEVICES means: a number, a UUID or the start of one."""
    if word.isdigit():
        return cards[int(word) : int(word) + 1]
    if word.startswith("MIG-"):  # a MIG slice: nvidia-smi reports neither its GPU nor its size
        return [replace(card, uuid=word) for card in cards[:1]]
    return [card for card in cards if word and card.uuid.startswith(word)][:1]


def _card(line: str) -> Card:
    uuid, rest = line.split(",", 1)
    name, megabytes, capability = (part.strip() for part in rest.rsplit(",", 2))
    major, minor = capability.split(".")
    # A GPU on one chip with the processor uses the machine's memory; nvidia-smi then says "[N/A]".
    memory_bytes = int(megabytes) * 1024**2 if megabytes.isdigit() else machine_bytes()
    return Card(uuid=uuid.strip(), name=name, memory_bytes=memory_bytes, capability=(int(major), int(minor)))


def machine_bytes() -> int:
    """Size of the machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
