"""Which NVIDIA cards this machine has. Asked of the driver's own program: importing torch takes seconds."""

import os
import subprocess
from dataclasses import dataclass, replace

LOOK_SECONDS_MAX = 20


@dataclass(frozen=True, kw_only=True)
class Card:
    """One GPU."""

    uuid: str  # as CUDA_VISIBLE_DEVICES takes it: numbers depend on who counts
    name: str
    memory_bytes: int
    capability: tuple[int, int]  # 8.0 Ampere, 8.9 Ada, 9.0 Hopper, 10.0 and 12.0 Blackwell


def find_cards() -> list[Card]:
    """All of them, in the driver's order; where CUDA_VISIBLE_DEVICES chooses, those that it leaves, in its order."""
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
    """The card that ``word`` of CUDA_VISIBLE_DEVICES means: a number, or a UUID or its beginning."""
    if word.isdigit():
        return cards[int(word) : int(word) + 1]
    if word.startswith("MIG-"):  # a slice: the driver's program does not tell of which card, nor how large it is
        return [replace(card, uuid=word) for card in cards[:1]]
    return [card for card in cards if word and card.uuid.startswith(word)][:1]


def _card(line: str) -> Card:
    uuid, rest = line.split(",", 1)
    name, megabytes, capability = (part.strip() for part in rest.rsplit(",", 2))
    major, minor = capability.split(".")
    # A card that is on one chip with the processor has the machine's memory, and the driver says "[N/A]".
    memory_bytes = int(megabytes) * 1024**2 if megabytes.isdigit() else machine_bytes()
    return Card(uuid=uuid.strip(), name=name, memory_bytes=memory_bytes, capability=(int(major), int(minor)))


def machine_bytes() -> int:
    """The machine's own memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
