"""A scripted agent that knows tools only by what MCP lists, and ten requests in everyday language."""

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from mcp_types import Tool

WORD = re.compile(r"[a-z]{3,}")
ENDINGS = ("ing", "ed", "es", "s", "e")
COMMON = frozenset(
    (
        "the",
        "and",
        "for",
        "with",
        "that",
        "this",
        "from",
        "into",
        "are",
        "has",
        "have",
        "its",
        "but",
        "not",
        "you",
        "can",
    )
)
TASK_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
FILE = re.compile(r"\S+\.(?:png|jpg|jpeg|webp|mp4|mov|mkv|webm)\b")
PICTURES = ("png", "jpg", "jpeg", "webp")
TITLE_WEIGHT = 2
"""A word of a tool's name or title counts as much as so many of its description."""


@dataclass(frozen=True, kw_only=True)
class Everyday:
    """A request, and the call that it should end in."""

    request: str
    tool: str
    arguments: dict[str, Any]


TASK = "019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d"
REQUESTS = (
    Everyday(
        request="Please put the elf from elf.png into street.mp4, in place of the person who walks there.",
        tool="replace_person",
        arguments={"picture": "elf.png", "video": "street.mp4"},
    ),
    Everyday(
        request="Swap the man in interview.mov for the robot of robot.jpg, a quick 480p version is fine.",
        tool="replace_person",
        arguments={"picture": "robot.jpg", "video": "interview.mov", "resolution": "480P"},
    ),
    Everyday(
        request="Make my drawing cat.png dance like the woman in dance.mp4.",
        tool="move_character",
        arguments={"picture": "cat.png", "video": "dance.mp4"},
    ),
    Everyday(
        request="Animate portrait.webp with the motion of gesture.mp4 and keep the picture's background.",
        tool="move_character",
        arguments={"picture": "portrait.webp", "video": "gesture.mp4"},
    ),
    Everyday(
        request="There are several people in party.mp4. Show me who is who, with numbers.",
        tool="find_people",
        arguments={"video": "party.mp4"},
    ),
    Everyday(
        request="What would it cost in credits to do elf.png and long.mp4 at 720p?",
        tool="estimate",
        arguments={"picture": "elf.png", "video": "long.mp4", "resolution": "720P"},
    ),
    Everyday(request=f"Is {TASK} finished? What is its progress?", tool="task", arguments={"task_id": TASK}),
    Everyday(request=f"Stop {TASK}, I changed my mind.", tool="cancel", arguments={"task_id": TASK}),
    Everyday(
        request=f"Save the finished video of {TASK} as a local file, double.mp4.",
        tool="download",
        arguments={"task_id": TASK, "path": "double.mp4"},
    ),
    Everyday(
        request="Replace person number 1 in team.mp4 with wizard.png, and show the EU label.",
        tool="replace_person",
        arguments={"picture": "wizard.png", "video": "team.mp4", "person": 1, "label": "eu"},
    ),
)


def choose(tools: list[Tool], request: str) -> Tool:
    """The tool whose name, title and description share the rarest words with the request; ties go to the first.

    Tools that need what the request does not give are left out.
    """
    texts = {
        tool.name: _words(f"{tool.name} {tool.title or ''} " * TITLE_WEIGHT + (tool.description or ""))
        for tool in tools
    }
    known = Counter(word for text in texts.values() for word in text)
    wanted = set(_words(FILE.sub(" ", request)))

    def score(tool: Tool) -> float:
        text = texts[tool.name]
        rare = {word: math.log(1 + len(tools) / known[word]) for word in wanted if word in known}
        return sum(rare[word] * (1 + math.log(text[word])) for word in rare if text[word])

    possible = [tool for tool in tools if set(tool.input_schema.get("required", [])) <= fill(tool, request).keys()]
    return max(possible, key=score)


def fill(tool: Tool, request: str) -> dict[str, Any]:
    """Arguments that the request gives, as the tool's schema names them."""
    properties = tool.input_schema["properties"]
    files = FILE.findall(request)
    videos = [file for file in files if not file.endswith(PICTURES)]
    found: dict[str, Any] = {
        "picture": next((file for file in files if file.endswith(PICTURES)), None),
        "video": next(iter(videos), None),
        "path": next(iter(videos), None),
        "task_id": next(iter(TASK_ID.findall(request)), None),
        "person": next((int(number) for number in re.findall(r"person number (\d+)", request.lower())), None),
    }
    for name, schema in properties.items():
        for value in schema.get("enum", ()):
            if re.search(rf"\b{re.escape(value.lower())}\b", request.lower()):
                found[name] = value
    return {name: value for name, value in found.items() if name in properties and value is not None}


def _words(text: str) -> Counter[str]:
    found = (_stem(word) for word in WORD.findall(text.lower().replace("_", " ")) if word not in COMMON)
    return Counter(found)


def _stem(word: str) -> str:
    ending = next((end for end in ENDINGS if word.endswith(end) and len(word) - len(end) >= 3), "")
    return word.removesuffix(ending)
