"""C2PA manifests as another reader sees them, which shares no code with the library that signs."""

from dataclasses import dataclass
from pathlib import Path

import encypher_c2pa

UNTRUSTED = ("signingCredential.untrusted",)
"""All that it reports of an unchanged file whose signer is unknown."""


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """What the other reader says about a file."""

    integrity: str  # valid or invalid
    failures: tuple[str, ...]  # C2PA's codes
    notes: tuple[str, ...]  # C2PA's codes of what is neither passed nor failed
    passed: tuple[str, ...]  # C2PA's codes of checks that passed
    ingredients: tuple[tuple[str, bool], ...]  # title, and whether it has a manifest of its own


def second_opinion(path: Path) -> Opinion:
    """The other reader's report about the manifest in a file. Raises KeyError if there is none."""
    report = encypher_c2pa.verify(path)
    results, known = report["validation_results"], report["manifest_report"]
    return Opinion(
        integrity=report["integrity"],
        failures=tuple(entry["code"] for entry in results["failure"]),
        notes=tuple(entry["code"] for entry in results["informational"]),
        passed=tuple(entry["code"] for entry in results["success"]),
        ingredients=tuple(
            (part["data"]["dc:title"], "activeManifest" in part["data"])
            for part in known["manifests"][known["active_manifest"]]["assertions"]
            if part["label"].startswith("c2pa.ingredient")
        ),
    )
