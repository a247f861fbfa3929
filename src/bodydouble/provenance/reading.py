"""Reads the C2PA manifest of any file."""

import json
import mmap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, cast

import c2pa

from bodydouble.provenance.foreign_texts import plain_json, plain_text
from bodydouble.provenance.library import UNKNOWN_FORMAT, c2pa_context, format_of
from bodydouble.provenance.manifest import PRODUCTION, SOURCE_TYPES

GENERATED_TYPES = frozenset(
    {
        "trainedAlgorithmicMedia",
        "compositeWithTrainedAlgorithmicMedia",
        "compositeSynthetic",
        "algorithmicMedia",
        "virtualRecording",
    }
)
"""IPTC's terms for media that a program drew, at least in part."""
STATES = {"Trusted": "trusted", "Valid": "valid"}
"""The library's validation state → ours; every other one is ``invalid``."""
UNTRUSTED = "signingCredential.untrusted"
"""The library's code for a signer that no known authority vouches for: said by the state ``valid`` already."""
MANIFEST_STORE = bytes.fromhex("63327061 0011 0010 8000 00AA00389B71")
"""Type of the JUMBF box that holds the manifests of a file (C2PA 2.2, 11.1.4.2)."""
ENTRIES_MAX = 50
"""Largest number of source types, problems and ingredients in a report. Real files have fewer than 10 of each."""

Json = Mapping[str, Any]
NO_PRODUCTION: Json = {}


@dataclass(frozen=True, kw_only=True)
class Ingredient:
    """A file that another one was made from."""

    title: str
    relationship: str  # parentOf, componentOf or inputTo
    signed: bool  # it has a manifest of its own


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The content of a file's manifest. Its texts are cut to a limit and have no control characters."""

    state: str  # trusted; valid: unchanged, by a signer that nobody known vouches for; invalid: changed or damaged
    signer: str
    signed_at: str  # ISO 8601, by a timestamp authority; empty: no timestamp
    generator: str  # the program that made the file
    source_types: tuple[str, ...]  # IPTC's terms, of the file and of what it was made from
    problems: tuple[str, ...]  # C2PA's codes of failed checks
    ingredients: tuple[Ingredient, ...]
    production: Json  # our own assertion; empty: not made by bodydouble

    @property
    def is_generated(self) -> bool:
        """Whether the manifest says that the file is synthetic, at least in part."""
        return not GENERATED_TYPES.isdisjoint(self.source_types)


def read_manifest(path: Path, trust_anchors: str = "") -> Manifest | None:
    """The manifest that is embedded in the file, checked; None if there is none. Raises OSError.

    ``trust_anchors``: certificates in PEM form of the authorities whose signers are trusted. A manifest that cannot
    be parsed is ``invalid``. A damaged file without a manifest has none.
    """
    form = format_of(path)
    if form == UNKNOWN_FORMAT or form == "video/x-matroska":
        return None
    try:
        with path.open("rb") as stream:
            reader = c2pa.Reader.try_create(form, stream, None, context=c2pa_context(trust_anchors))
            if reader is None:
                return None
            with reader:
                return _manifest(json.loads(reader.json()), reader.get_validation_state() or "")
    except c2pa.C2paError as error:
        return _unreadable(str(error)) if _has_manifest_store(path) else None


def _has_manifest_store(path: Path) -> bool:
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(MANIFEST_STORE) >= 0


def telling_types(kinds: Iterable[str]) -> tuple[str, ...]:
    """The distinct source types, at most ``ENTRIES_MAX``. Those of generated media come first: none of them is cut."""
    return tuple(sorted(dict.fromkeys(kinds), key=lambda kind: kind not in GENERATED_TYPES)[:ENTRIES_MAX])


def _unreadable(problem: str) -> Manifest:
    return Manifest(
        state="invalid",
        signer="",
        signed_at="",
        generator="",
        source_types=(),
        problems=(plain_text(problem),),
        ingredients=(),
        production={},
    )


def _manifest(store: Json, state: str) -> Manifest:
    manifests = cast("dict[str, Json]", store.get("manifests") or {})
    active = manifests.get(store.get("active_manifest", ""), {})
    signature = cast("Json", active.get("signature_info") or {})
    generator = cast("list[Json]", active.get("claim_generator_info") or [{}])[0]
    codes = [plain_text(status.get("code")) for status in cast("list[Json]", store.get("validation_status") or [])]
    return Manifest(
        state=STATES.get(state, "invalid"),
        signer=plain_text(signature.get("issuer") or signature.get("common_name") or ""),
        signed_at=plain_text(signature.get("time") or ""),
        generator=" ".join(plain_text(generator[key]) for key in ("name", "version") if generator.get(key)),
        source_types=telling_types(kind for manifest in manifests.values() for kind in _source_types(manifest)),
        problems=tuple(islice(dict.fromkeys(code for code in codes if code != UNTRUSTED), ENTRIES_MAX)),
        ingredients=tuple(
            Ingredient(
                title=plain_text(part.get("title", "")),
                relationship=plain_text(part.get("relationship", "")),
                signed="active_manifest" in part,
            )
            for part in cast("list[Json]", active.get("ingredients") or [])[:ENTRIES_MAX]
        ),
        production=plain_json(
            next((data for label, data in _assertions(active) if label == PRODUCTION), NO_PRODUCTION)
        ),
    )


def _assertions(manifest: Json) -> Iterator[tuple[str, Json]]:
    for assertion in cast("list[Json]", manifest.get("assertions") or []):
        data = assertion.get("data")
        if isinstance(data, Mapping):
            yield str(assertion.get("label", "")), cast("Json", data)


def _source_types(manifest: Json) -> Iterator[str]:
    for label, data in _assertions(manifest):
        if label.startswith("c2pa.actions"):
            for action in cast("list[Json]", data.get("actions") or []):
                if kind := str(action.get("digitalSourceType") or ""):
                    yield plain_text(kind.removeprefix(SOURCE_TYPES).rpartition("/")[2])
