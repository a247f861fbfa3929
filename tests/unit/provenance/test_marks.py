"""Every layer of provenance of any file."""

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from bodydouble.media.mux import RESULT_COMMENT
from bodydouble.provenance.marks import XMP_BYTES_MAX, XMP_START, input_report, read_marks
from bodydouble.provenance.reading import ENTRIES_MAX, MANIFEST_STORE

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><Iptc4xmpExt:DigitalSourceType>'
    "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    "</Iptc4xmpExt:DigitalSourceType></x:xmpmeta>"
)


def write_clip(path: Path, options: dict[str, str], **metadata: str) -> Path:
    """A clip of one frame with texts."""
    with av.open(str(path), "w", options=options) as container:
        container.metadata.update(metadata)
        stream: Any = container.add_stream("libx264", rate=24)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode())
    return path


def test_marks_of_videos_and_pictures_are_found(tmp_path: Path) -> None:
    """XMP's source type, China's label and our comment each say that a file was generated."""
    picture = tmp_path / "picture.png"
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", XMP)
    Image.new("RGB", (32, 32)).save(picture, pnginfo=texts)
    video = write_clip(
        tmp_path / "a.mp4", {"movflags": "use_metadata_tags"}, comment=RESULT_COMMENT, AIGC='{"Label": "1"}'
    )
    assert read_marks(picture) == {
        "layers": [{"layer": "xmp", "source_types": ["trainedAlgorithmicMedia"], "generated": True}],
        "generated": True,
    }
    assert input_report(picture) == {"marks": ["xmp"], "generated": True}
    assert input_report(video) == {"marks": ["aigc", "comment"], "generated": True}
    assert input_report(write_clip(tmp_path / "plain.mp4", {}, comment="holidays")) is None
    layers = {layer["layer"]: layer for layer in read_marks(video)["layers"]}
    assert layers["aigc"]["content"] == {"Label": "1"}
    assert layers["comment"] == {"layer": "comment", "text": RESULT_COMMENT, "generated": True}


@pytest.mark.parametrize(
    "content",
    [b"", b"text", b"\0\0\0\x20ftypisom" + bytes(100), b"RIFF\0\0\0\0AVI ", b"\xff\xd8\xff" + bytes(100)],
)
def test_any_file_is_accepted(tmp_path: Path, content: bytes) -> None:
    """Of an empty, unknown or broken file nothing is known; a broken file has no manifest for that."""
    path = tmp_path / "file"
    path.write_bytes(content)
    assert read_marks(path) == {"layers": [], "generated": None}
    assert input_report(path) is None


def test_a_manifest_in_a_broken_file_is_invalid(tmp_path: Path) -> None:
    """The file has one, and nobody can check it."""
    path = tmp_path / "file"
    path.write_bytes(b"\xff\xd8\xff" + MANIFEST_STORE + bytes(100))
    assert [(layer["layer"], layer["state"]) for layer in read_marks(path)["layers"]] == [("c2pa", "invalid")]


def test_a_foreign_comment_is_shown_and_means_nothing(tmp_path: Path) -> None:
    """Only our own comment says that a file was generated."""
    marks = read_marks(write_clip(tmp_path / "a.mp4", {}, comment="holiday"))
    assert marks == {"layers": [{"layer": "comment", "text": "holiday", "generated": False}], "generated": None}


@pytest.mark.parametrize("before", [b"", b"<x:xmpmeta" + bytes(XMP_BYTES_MAX), XMP_START * 300_000])
def test_xmp_is_found_behind_starts_without_an_end(tmp_path: Path, before: bytes) -> None:
    """Each byte is read a constant number of times: a quadratic search of the last case takes minutes."""
    path = tmp_path / "file"
    path.write_bytes(before + XMP.encode() + XMP_START * 300_000)
    (layer,) = read_marks(path)["layers"]
    assert layer["source_types"] == ["trainedAlgorithmicMedia"]


def test_many_source_types_are_cut(tmp_path: Path) -> None:
    """The reply fits into one message; the type of generated media stays in it."""
    names = [f"kind{first}{second}" for first in "abcdefghij" for second in "abcdefghij"]
    path = tmp_path / "file"
    path.write_bytes("".join(XMP.replace("trainedAlgorithmicMedia", name) for name in names).encode() + XMP.encode())
    marks = read_marks(path)
    assert len(marks["layers"][0]["source_types"]) == ENTRIES_MAX
    assert marks["generated"] is True


@pytest.mark.parametrize("content", ['{"a": NaN}', '{"a": 1e999}', r'{"a": "\ud800"}', "[" * 4000])
def test_any_label_can_be_sent_as_json(tmp_path: Path, content: str) -> None:
    """A label with numbers or texts that JSON in UTF-8 cannot hold is shown as far as possible."""
    video = write_clip(tmp_path / "a.mp4", {"movflags": "use_metadata_tags"}, AIGC=content)
    marks = read_marks(video)
    assert marks["generated"] is True
    json.dumps(marks, allow_nan=False, ensure_ascii=False).encode()
