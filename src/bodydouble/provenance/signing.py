"""Signs a finished result: the last step of every shot."""

# pyright: reportUnknownMemberType=false
# C2PA's library is only partially typed.

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import c2pa

from bodydouble.provenance.library import UNKNOWN_FORMAT, c2pa_context, format_of
from bodydouble.provenance.manifest import PRODUCTION, Production
from bodydouble.provenance.marks import input_report
from bodydouble.provenance.options import SigningOptions
from bodydouble.provenance.signer import SigningCommand, make_signer, read_credentials
from bodydouble.tasks.atomic_files import atomic_file, atomic_write
from bodydouble.tasks.errors import SigningFailed

_log = logging.getLogger(__name__)

SIDECAR_SUFFIX = ".c2pa"
"""Suffix of the file with the manifest, which is next to a result whose format cannot hold it."""
EMBEDS = ("video/mp4", "video/quicktime")
"""Formats of results that hold their manifest."""


@dataclass(frozen=True, kw_only=True)
class Signed:
    """The provenance of a signed file, as the task's result reports it."""

    signer: str
    timestamp: bool
    unsigned_sha256: str
    inputs: Mapping[str, Mapping[str, Any]]  # input → ``marks.input_report``; only inputs with marks

    def to_json(self) -> dict[str, Any]:
        """The object ``provenance`` of ``media_info``."""
        return {
            "signer": self.signer,
            "timestamp": self.timestamp,
            "unsigned_sha256": self.unsigned_sha256,
            "inputs": dict(self.inputs),
        }


def sign_result(unsigned: Path, target: Path, production: Production, options: SigningOptions) -> Signed:
    """Write the signed file ``target`` from ``unsigned``, which may be the same path.

    A file that cannot hold its manifest gets it in a file beside it, ``NAME.c2pa``. Without an answer of the
    timestamp's server the result has no timestamp.

    Raises:
        SigningFailed: the certificate, key or command cannot be used.
    """
    credentials = read_credentials(options)
    form = format_of(unsigned)
    manifest = production.manifest(unsigned, form)
    command = SigningCommand(options.command)

    def sign(timestamp_url: str) -> None:
        signer = make_signer(credentials, command, timestamp_url)
        with _builder(manifest, production) as builder:
            if form in EMBEDS:
                with atomic_file(target) as part, unsigned.open("rb") as source, part.open("w+b") as signed:
                    builder.sign(signer, form, source, signed)
                return
            builder.set_no_embed()
            with unsigned.open("rb") as source, Path("/dev/null").open("w+b") as nowhere:
                atomic_write(target.with_suffix(SIDECAR_SUFFIX), builder.sign(signer, form, source, nowhere))

    timestamped = bool(options.timestamp_url)
    try:
        try:
            sign(options.timestamp_url)
        except c2pa.C2paError as error:
            if not timestamped or command.failure is not None:
                raise
            _log.warning("provenance_timestamp_url: no timestamp, the result is signed without one: %s", error)
            timestamped = False
            sign("")
    except c2pa.C2paError as error:
        raise command.failure or SigningFailed(f"provenance: the result could not be signed: {error}") from error
    data = next(part["data"] for part in manifest["assertions"] if part["label"] == PRODUCTION)
    inputs = {name: input_report(path) for name, path in (("video", production.video), ("image", production.image))}
    return Signed(
        signer=credentials.name,
        timestamp=timestamped,
        unsigned_sha256=data["unsigned_sha256"],
        inputs={name: report for name, report in inputs.items() if report is not None},
    )


def _builder(manifest: Mapping[str, Any], production: Production) -> c2pa.Builder:
    """A builder with the manifest and both inputs, with the manifests that they carry."""
    builder = c2pa.Builder(json.dumps(manifest), c2pa_context())
    for path, definition in production.ingredients():
        form = format_of(path)
        try:
            with path.open("rb") as stream:
                builder.add_ingredient(json.dumps(definition), form, stream)
        except c2pa.C2paError as error:  # the decoders accept more damage than C2PA's library does
            _log.warning("the manifest of the %s cannot be kept: %s", definition["title"], error)
            with path.open("rb") as stream:
                builder.add_ingredient(json.dumps(definition), UNKNOWN_FORMAT, stream)
    return builder
