"""Write ``bodydouble_client.blocking`` from ``bodydouble_client.asynchronous``.

Run it after every change of the asynchronous client: ``make client``. A test compares its output with the committed
files. Every module is copied with the words below replaced, then sorted and formatted by ruff. ``waiting`` and
``__init__`` are written by hand for each kind.
"""

import re
import subprocess
import sys
from pathlib import Path

CLIENT = Path(__file__).parents[1] / "packages" / "client" / "src" / "bodydouble_client"
ASYNCHRONOUS, BLOCKING = CLIENT / "asynchronous", CLIENT / "blocking"
HAND_WRITTEN = frozenset({"__init__.py", "waiting.py"})
HEADER = "# By tools/generate_sync_client.py from ../asynchronous/{name}. Edit that file, then run `make client`.\n"
REPLACEMENTS = (  # in this order; each pattern is a whole word
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAsyncGenerator\[([^\[\]]+), None\]", r"Generator[\1, None, None]"),
    (r"\bAsyncGenerator\b", "Generator"),
    (r"\bAwaitable\[([^\[\]]+)\]", r"\1"),
    (r"\bAwaitable, ", ""),
    (r"\bbodydouble_client\.asynchronous\b", "bodydouble_client.blocking"),
    (r"\ba(closing|close|iter_bytes)\b", r"\1"),
    (r"\b__a(enter|exit)__\b", r"__\1__"),
    (r"``async with``", "``with``"),
    (r"\bAsync(Account|Client|Result|TaskHandle)\b", r"\1"),
)
UNCHANGED_SENTENCES = (  # docstrings that speak of both kinds of client
    "``Client`` can be shared between threads, ``AsyncClient`` between the tasks of one event loop.",
    "An ``AsyncClient`` also accepts a coroutine function.",
    "An ``AsyncClient`` accepts a plain function or a coroutine function.",
)


def generated() -> dict[Path, str]:
    """The content of every generated file."""
    sources = sorted(path for path in ASYNCHRONOUS.glob("*.py") if path.name not in HAND_WRITTEN)
    return {BLOCKING / path.name: _formatted(_blocking(path), BLOCKING / path.name) for path in sources}


def _blocking(path: Path) -> str:
    text = path.read_text()
    for number, sentence in enumerate(UNCHANGED_SENTENCES):
        text = text.replace(sentence, f"\0{number}\0")
    for pattern, replacement in REPLACEMENTS:
        text = re.sub(pattern, replacement, text)
    for number, sentence in enumerate(UNCHANGED_SENTENCES):
        text = text.replace(f"\0{number}\0", sentence)
    return HEADER.format(name=path.name) + text


def _formatted(text: str, path: Path) -> str:
    for arguments in (["check", "--fix", "--quiet", "--select", "I"], ["format", "--quiet"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--stdin-filename", str(path), "-"]
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    return text


def main() -> None:
    """Write the generated files and delete those without a source."""
    files = generated()
    for path in BLOCKING.glob("*.py"):
        if path.name not in HAND_WRITTEN and path not in files:
            path.unlink()
    for path, text in files.items():
        path.write_text(text)


if __name__ == "__main__":
    main()
