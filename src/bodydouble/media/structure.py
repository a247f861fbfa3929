"""Checks of a container's structure, made before libav opens the file.

They find what libav detects too late: sample tables that announce millions of samples in a few bytes (libav allocates
them all), media cut off behind an intact index, and encryption.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

PARENTS = frozenset(
    {b"moov", b"trak", b"edts", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"mvex", b"dinf", b"udta", b"tref"}
)
"""MP4 boxes that contain boxes (ISO/IEC 14496-12)."""
BOXES_MAX = 200_000
"""Boxes read of one file; a fragmented MP4 has a few for each fragment."""
DEPTH_MAX = 12
"""Nesting of boxes; MP4 itself needs six levels."""
HEAD_BYTES = 64
"""Read from the start of the file to recognise its format."""
ENCRYPTED_ENTRIES = frozenset({b"encv", b"enca", b"drms", b"drmi"})
MP4_STARTS = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof", b"uuid"})
EBML = b"\x1a\x45\xdf\xa3"  # element ids of Matroska (RFC 8794, RFC 9559)
EBML_SEGMENT = b"\x18\x53\x80\x67"


@dataclass(kw_only=True)
class Structure:
    """Findings about one file. A file of an unknown format has the defaults; libav decides about it."""

    samples: int = 0  # largest count in one table of a track other than audio
    sound_samples: int = 0  # largest count in one table of an audio track; uncompressed audio has many
    edits: int = 0  # entries of the longest edit list
    encrypted: bool = False
    compressed_header: bool = False  # libav expands such a header (cmov) to whatever size it declares
    cut: bool = False  # a box, chunk or element reaches beyond the end of the file


def inspect_structure(path: Path) -> Structure:
    """Findings from all boxes of an MP4, or from the outermost size of an AVI or Matroska file."""
    result = Structure()
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
        if head[4:8] in MP4_STARTS:
            _Mp4Walk(stream, result).children(0, size)
        elif head[:4] == b"RIFF" and head[8:12] == b"AVI ":
            result.cut = 8 + struct.unpack("<I", head[4:8])[0] > size
        elif head[:4] == EBML:
            result.cut = _segment_end(head) > size
    return result


def _segment_end(head: bytes) -> int:
    """The declared end of Matroska's Segment element, as a file offset; 0 if not declared (live recordings)."""
    at = head.find(EBML_SEGMENT)
    if at < 0 or at + 12 > len(head):
        return 0
    first = head[at + 4]
    length = 9 - first.bit_length() if first else 9
    if length > 8:
        return 0
    value = int.from_bytes(head[at + 4 : at + 4 + length], "big") & ((1 << 7 * length) - 1)
    unknown = value == (1 << 7 * length) - 1
    return 0 if unknown else at + 4 + length + value


class _Mp4Walk:
    """Walks the boxes of ISO/IEC 14496-12. Media bytes are skipped, not read."""

    def __init__(self, stream: BinaryIO, result: Structure) -> None:
        self._stream, self._result = stream, result
        self._boxes = 0
        self._size = os.fstat(stream.fileno()).st_size

    def children(self, start: int, end: int, depth: int = 0, sound: bool = False) -> None:
        """Examine the boxes between two file offsets. ``sound``: they belong to an audio track."""
        for kind, body, stop in self._boxes_of(start, end):
            if kind in PARENTS and depth < DEPTH_MAX:
                sound_inside = self._is_sound(body, stop) if kind == b"mdia" else sound
                self.children(body, stop, depth + 1, sound_inside)
            elif kind in (b"stsz", b"stz2"):
                self._count(self._numbers(body + 8, 1)[0], sound)
            elif kind in (b"stts", b"ctts"):
                # Run lengths as (count, value) pairs; libav expands them to one entry for each sample.
                entries = min(self._numbers(body + 4, 1)[0], max(0, stop - body - 8) // 8)
                self._count(sum(self._numbers(body + 8, 2 * entries)[0::2]), sound)
            elif kind == b"trun":
                self._count(self._numbers(body + 4, 1)[0], sound)
            elif kind == b"cmov":
                self._result.compressed_header = True
            elif kind == b"elst":
                self._result.edits = max(self._result.edits, self._numbers(body + 4, 1)[0])
            elif kind == b"stsd":
                entries_seen = {entry for entry, _, _ in self._boxes_of(body + 8, stop)}
                self._result.encrypted |= bool(entries_seen & ENCRYPTED_ENTRIES)

    def _count(self, samples: int, sound: bool) -> None:
        if sound:
            self._result.sound_samples = max(self._result.sound_samples, samples)
        else:
            self._result.samples = max(self._result.samples, samples)

    def _is_sound(self, start: int, end: int) -> bool:
        for kind, body, _ in self._boxes_of(start, end):
            if kind == b"hdlr":
                self._stream.seek(body + 8)
                return self._stream.read(4) == b"soun"
        return False

    def _boxes_of(self, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
        """Yield type, start of the body and end of each box between two file offsets."""
        at = start
        while at + 8 <= end and self._boxes < BOXES_MAX:
            self._boxes += 1
            self._stream.seek(at)
            head = self._stream.read(16)
            if len(head) < 8:
                return
            size, kind, body = int.from_bytes(head[:4], "big"), head[4:8], at + 8
            if size == 1 and len(head) == 16:
                size, body = int.from_bytes(head[8:], "big"), at + 16
            stop = end if size == 0 else at + size
            if stop < body:
                return
            if kind == b"mdat" and stop > self._size:
                self._result.cut = True
            yield kind, body, min(stop, end)
            at = stop

    def _numbers(self, at: int, count: int) -> tuple[int, ...]:
        self._stream.seek(at)
        data = self._stream.read(4 * count)
        return struct.unpack(f">{len(data) // 4}I", data[: len(data) // 4 * 4]) or (0,)
