"""Tests of ``bodydouble.media.image`` and ``probe_image``: every kind of picture comes out as upright RGB."""

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bodydouble.media import MediaLimits, probe_image, read_image
from bodydouble.tasks.errors import MediaRejected
from material import write_image

SMALL = MediaLimits(image_side_min=16)


def corners(height: int = 240, width: int = 320) -> NDArray[np.uint8]:
    """Red, green, blue and white quarters: each turn and flip looks different."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = (220, 30, 30)
    image[: height // 2, width // 2 :] = (30, 220, 30)
    image[height // 2 :, : width // 2] = (30, 30, 220)
    image[height // 2 :, width // 2 :] = (240, 240, 240)
    return image


def exif(orientation: int) -> bytes:
    """A TIFF directory with only an orientation."""
    return b"MM\0*" + struct.pack(">IHHHIHH", 8, 1, 0x0112, 3, 1, orientation, 0) + bytes(4)


def jpeg_with(path: Path, image: NDArray[np.uint8], orientation: int) -> Path:
    data = write_image(path, image).read_bytes()
    body = b"Exif\0\0" + exif(orientation)
    path.write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:])
    return path


def png(path: Path, colour: int, depth: int, rows: bytes, size: tuple[int, int], *chunks: tuple[bytes, bytes]) -> Path:
    """A PNG from raw filtered rows, with further chunks before the pixels. ``size`` is width, height."""
    out = io.BytesIO()
    out.write(b"\x89PNG\r\n\x1a\n")
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0)
    for kind, body in [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]:
        out.write(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)))
    path.write_bytes(out.getvalue())
    return path


def refusal(path: Path, limits: MediaLimits = SMALL) -> str:
    with pytest.raises(MediaRejected) as caught:
        read_image(path, limits, field="img_urls[0]")
    assert caught.value.message.startswith("img_urls[0]: ")
    return caught.value.message


@pytest.mark.parametrize(("name", "kind"), [("a.jpg", "JPEG"), ("a.png", "PNG"), ("a.webp", "WebP"), ("a.bmp", "BMP")])
def test_reads_every_accepted_format(tmp_path: Path, name: str, kind: str) -> None:
    """Each format is known by its content and read as RGB."""
    path = write_image(tmp_path / name, corners()).rename(tmp_path / "picture")
    info = probe_image(path)
    assert (info.format, info.width, info.height) == (kind, 320, 240)
    assert np.abs(read_image(path).astype(int) - corners()).mean() < 3


UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_applies_exif_orientation(tmp_path: Path, orientation: int) -> None:
    """All eight EXIF orientations of a JPEG come out upright, and the probe tells the upright size."""
    path = jpeg_with(tmp_path / "a.jpg", corners(), orientation)
    expected = UPRIGHT[orientation](corners())
    image, info = read_image(path), probe_image(path)
    assert image.shape == expected.shape
    assert (info.height, info.width) == image.shape[:2]
    assert np.abs(image.astype(int) - expected).mean() < 3


def test_applies_exif_orientation_of_png(tmp_path: Path) -> None:
    """A PNG's eXIf chunk counts as a JPEG's does."""
    image = corners(32, 48)
    rows = b"".join(b"\0" + row.tobytes() for row in image)
    path = png(tmp_path / "a.png", 2, 8, rows, (48, 32), (b"eXIf", exif(6)))
    assert np.array_equal(read_image(path, SMALL), np.rot90(image, -1))


def test_shows_transparency_on_grey(tmp_path: Path) -> None:
    """A transparent pixel is neutral grey, a half transparent one is half way to it."""
    pixels = np.zeros((20, 20, 4), np.uint8)
    pixels[:10] = (200, 100, 0, 0)
    pixels[10:] = (228, 28, 128, 128)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    image = read_image(png(tmp_path / "a.png", 6, 8, rows, (20, 20)), SMALL)
    assert (image[0, 0] == 128).all()
    assert np.abs(image[19, 19].astype(int) - (178, 78, 128)).max() <= 1


@pytest.mark.parametrize(
    ("colour", "depth", "pixel", "expected"),
    [
        (0, 8, b"\x64", (100, 100, 100)),
        (0, 16, b"\x64\x64", (100, 100, 100)),
        (4, 8, b"\x64\xff", (100, 100, 100)),
        (2, 16, b"\xc8\xc8\x64\x64\x00\x00", (200, 100, 0)),
        (6, 16, b"\xc8\xc8\x64\x64\x00\x00\xff\xff", (200, 100, 0)),
        (3, 8, b"\x01", (10, 20, 30)),
    ],
)
def test_reads_every_kind_of_png(
    tmp_path: Path, colour: int, depth: int, pixel: bytes, expected: tuple[int, int, int]
) -> None:
    """Grey, grey with alpha, 16 bits and palettes become 8-bit RGB of the same colour."""
    rows = (b"\0" + pixel * 20) * 20
    palette = [(b"PLTE", bytes([0, 0, 0, 10, 20, 30]))] if colour == 3 else []
    image = read_image(png(tmp_path / "a.png", colour, depth, rows, (20, 20), *palette), SMALL)
    assert image.shape == (20, 20, 3)
    assert np.abs(image[5, 5].astype(int) - expected).max() <= 1


def test_reads_grey_jpeg(tmp_path: Path) -> None:
    """A JPEG with one component has three equal ones afterwards."""
    path = tmp_path / "grey.jpg"
    assert cv2.imwrite(str(path), np.full((240, 240), 90, np.uint8))
    assert np.abs(read_image(path).astype(int) - 90).max() <= 2


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.bmp"])
def test_refuses_truncated_pictures(tmp_path: Path, name: str) -> None:
    """A picture whose end is missing is refused, not shown half grey."""
    rng = np.random.default_rng(5)
    path = write_image(tmp_path / name, rng.integers(0, 255, (240, 240, 3)).astype(np.uint8))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "cut off" in refusal(path)


@pytest.mark.parametrize("content", [b"GIF89a" + bytes(40), b"hello, I am a picture", b"\x00\x00\x01\x00" * 9])
def test_refuses_other_files(tmp_path: Path, content: bytes) -> None:
    """Anything but the four formats is refused whatever its name says."""
    path = tmp_path / "a.png"
    path.write_bytes(content)
    assert "no JPEG, PNG, WebP or BMP" in refusal(path)


@pytest.mark.parametrize("content", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"RIFF\x10\0\0\0WEBP"])
def test_refuses_bare_headers(tmp_path: Path, content: bytes) -> None:
    """A file that ends within its header is damaged."""
    path = tmp_path / "a.png"
    path.write_bytes(content)
    assert "damaged" in refusal(path)


def test_refuses_an_empty_file(tmp_path: Path) -> None:
    """An empty file is said to be empty."""
    (tmp_path / "a.png").touch()
    assert "empty" in refusal(tmp_path / "a.png")


def test_refuses_a_gigapixel_from_its_header(tmp_path: Path) -> None:
    """20000 x 20000 is refused by the header alone: no pixel is decoded."""
    path = png(tmp_path / "bomb.png", 2, 8, b"", (20000, 20000))
    assert "20000 × 20000; its sides must be 200 to 4096" in refusal(path, MediaLimits())


def test_limits_are_named(tmp_path: Path) -> None:
    """Too small and too many bytes are told with the limit."""
    path = write_image(tmp_path / "a.png", corners(10, 10))
    assert "10 × 10; its sides must be 200" in refusal(path, MediaLimits())
    assert "at most 1e-05 MB" in refusal(path, MediaLimits(image_bytes_max=10))


def test_refuses_damaged_pixels(tmp_path: Path) -> None:
    """A whole file whose pixels do not decode is damaged."""
    path = png(tmp_path / "a.png", 2, 7, b"", (32, 32))
    assert "damaged and cannot be decoded" in refusal(path)
