"""What a still picture's header says, without decoding: a few bytes can declare a gigapixel."""

import struct
from dataclasses import dataclass

EXIF_ORIENTATION = 0x0112
# Start of frame: baseline, extended, progressive, lossless and their arithmetic-coded kinds (ITU-T T.81, table B.1).
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length


@dataclass(frozen=True, kw_only=True)
class PictureHeader:
    """A picture as stored, before its orientation is applied."""

    format: str  # JPEG, PNG, WebP or BMP
    width: int  # 0 where the header is damaged
    height: int
    orientation: int  # EXIF 1-8: 5 to 8 swap the sides
    complete: bool  # the end of the picture is there


def read_header(data: bytes) -> PictureHeader | None:
    """The header of a whole file's bytes, or None where it is none of the four formats."""
    readers = {b"\xff\xd8\xff": _jpeg, b"\x89PNG\r\n\x1a\n": _png, b"BM": _bmp}
    reader = next((r for magic, r in readers.items() if data.startswith(magic)), None)
    if reader is None and data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        reader = _webp
    if reader is None:
        return None
    try:
        return reader(data)
    except (struct.error, IndexError):
        return PictureHeader(format=reader.__name__[1:].upper(), width=0, height=0, orientation=1, complete=False)


def _jpeg(data: bytes) -> PictureHeader:
    at, width, height, orientation = 2, 0, 0, 1
    while True:
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF or marker in JPEG_ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        length = struct.unpack_from(">H", data, at + 2)[0]
        if marker in JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
        elif marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            orientation = _orientation(data[at + 10 : at + 2 + length])
        elif marker in (0xDA, 0xD9):
            break
        at += 2 + max(length, 2)
    return PictureHeader(
        format="JPEG", width=width, height=height, orientation=orientation, complete=data.rfind(b"\xff\xd9") > at
    )


def _png(data: bytes) -> PictureHeader:
    width, height = struct.unpack_from(">II", data, 16)
    at, orientation, complete = 8, 1, False
    while at + 12 <= len(data) and not complete:
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"eXIf":
            orientation = _orientation(data[at + 8 : at + 8 + length])
        complete = kind == b"IEND"
        at += 12 + length
    return PictureHeader(format="PNG", width=width, height=height, orientation=orientation, complete=complete)


def _bmp(data: bytes) -> PictureHeader:
    start, header = struct.unpack_from("<II", data, 10)
    if header == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        packed = 0
    else:
        width, height, _, bits, packed = struct.unpack_from("<iiHHI", data, 18)
    height = abs(height)  # negative: stored from the top
    rows = 0 if packed in (1, 2) else (width * bits + 31) // 32 * 4 * height  # 1 and 2: run lengths
    return PictureHeader(format="BMP", width=width, height=height, orientation=1, complete=start + rows <= len(data))


def _webp(data: bytes) -> PictureHeader:
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    at, width, height, orientation = 12, 0, 0, 1
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        body = at + 8
        if kind == b"VP8X":
            width = int.from_bytes(data[body + 4 : body + 7], "little") + 1
            height = int.from_bytes(data[body + 7 : body + 10], "little") + 1
        elif kind == b"VP8 " and not width:
            width, height = (n & 0x3FFF for n in struct.unpack_from("<HH", data, body + 6))
        elif kind == b"VP8L" and not width:
            bits = struct.unpack_from("<I", data, body + 1)[0]
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        elif kind == b"EXIF":
            orientation = _orientation(data[body : body + length].removeprefix(b"Exif\0\0"))
        at = body + length + length % 2
    return PictureHeader(format="WebP", width=width, height=height, orientation=orientation, complete=end <= len(data))


def _orientation(tiff: bytes) -> int:
    """Tag 0x0112 of the first directory; 1 (upright) where it is missing or nonsense."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        directory = struct.unpack_from(order + "I", tiff, 4)[0]
        for k in range(struct.unpack_from(order + "H", tiff, directory)[0]):
            tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, directory + 2 + 12 * k)
            if tag == EXIF_ORIENTATION:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
