"""Tests of ``bodydouble.media.image`` and ``probe_image``: every kind of picture comes out as upright RGB."""

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image

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


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.jpg", "JPEG"), ("a.png", "PNG"), ("a.webp", "WebP"), ("a.bmp", "BMP"), ("a.avif", "AVIF")],
)
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
    """Anything but the accepted formats is refused, whatever its name says."""
    path = tmp_path / "a.png"
    path.write_bytes(content)
    message = refusal(path)
    assert "not a picture that can be read" in message or "save it as JPEG or PNG" in message


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
    assert "20000 × 20000; its sides must be 200 to 16384" in refusal(path, MediaLimits())


def test_limits_are_named(tmp_path: Path) -> None:
    """Too small and too many bytes are told with the limit."""
    path = write_image(tmp_path / "a.png", corners(10, 10))
    assert "10 × 10; its sides must be 200" in refusal(path, MediaLimits())
    assert "at most 1e-05 MB" in refusal(path, MediaLimits(image_bytes_max=10))


def test_refuses_damaged_pixels(tmp_path: Path) -> None:
    """A whole file whose pixels do not decode is damaged."""
    path = png(tmp_path / "a.png", 2, 7, b"", (32, 32))
    assert "damaged and cannot be decoded" in refusal(path)


# Colorants of Display P3 (SMPTE EG 432-1) and of sRGB (IEC 61966-2-1), adapted to D50; columns are red, green and blue.
DISPLAY_P3 = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])
SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])


def icc_profile(colorants: NDArray[np.float64], gamma: float = 2.2) -> bytes:
    """A matrix profile after ICC.1:2001-04: three colorants, one gamma, a description."""

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    text = b"Display P3 for tests\0"
    description = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags = {b"desc": description, b"wtpt": b"XYZ " + bytes(4) + fixed(0.9642, 1.0, 0.8249)}
    for k, name in enumerate((b"r", b"g", b"b")):
        tags[name + b"XYZ"] = b"XYZ " + bytes(4) + fixed(*colorants[:, k])
        tags[name + b"TRC"] = curve
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        padded = content + bytes(-len(content) % 4)
        table += name + struct.pack(">II", at + len(body), len(content))
        body += padded
    head = bytearray(128)
    head[8:12] = bytes([2, 0x40, 0, 0])
    head[12:24] = b"mntrRGB XYZ "
    head[36:40] = b"acsp"
    head[68:80] = fixed(0.9642, 1.0, 0.8249)
    whole = bytes(head) + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(whole)) + whole[4:]


@pytest.mark.parametrize("colour", [(200, 150, 130), (90, 60, 50), (128, 128, 128), (100, 150, 90)])
def test_colour_profiles_are_converted_to_srgb(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    """A Display P3 picture shows the colour that its profile means, computed by the ICC's matrix model."""
    path = tmp_path / "a.png"
    Image.new("RGB", (240, 240), colour).save(path, icc_profile=icc_profile(DISPLAY_P3))
    linear = np.linalg.inv(SRGB) @ DISPLAY_P3 @ (np.array(colour) / 255) ** 2.2
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.abs(linear) ** (1 / 2.4) - 0.055)
    assert np.abs(read_image(path)[120, 120].astype(float) - 255 * encoded).max() <= 2
    assert np.abs(255 * encoded - colour).max() > 2 or colour == (128, 128, 128)


def test_an_unusable_profile_changes_nothing(tmp_path: Path) -> None:
    """A picture with a damaged profile is read as sRGB."""
    Image.new("RGB", (240, 240), (10, 200, 30)).save(tmp_path / "a.png", icc_profile=b"not a profile")
    assert (read_image(tmp_path / "a.png") == (10, 200, 30)).all()


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    """A CMYK JPEG without profile shows its colours, not their negative."""
    Image.new("RGB", (240, 240), (200, 80, 40)).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert np.abs(read_image(tmp_path / "a.jpg")[120, 120].astype(int) - (200, 80, 40)).max() <= 6


def test_heic_pictures_are_read(tmp_path: Path) -> None:
    """A HEIC picture, the default of iPhones, is read like any other."""
    path = tmp_path / "a.heic"
    pillow_heif.from_pillow(Image.fromarray(corners())).save(path, quality=95)
    info = probe_image(path)
    assert (info.format, info.width, info.height) == ("HEIC", 320, 240)
    assert np.abs(read_image(path).astype(int) - corners()).mean() < 3


def test_large_pictures_are_scaled_down(tmp_path: Path) -> None:
    """A picture of 48 million pixels is accepted and read with a longer side of 4096."""
    path = tmp_path / "a.jpg"
    Image.fromarray(cv2.resize(corners(), (8000, 6000), interpolation=cv2.INTER_NEAREST)).save(path)
    assert probe_image(path).width == 8000
    image = read_image(path)
    assert image.shape == (3072, 4096, 3)
    assert np.abs(image[100, 100].astype(int) - (220, 30, 30)).max() <= 3


def test_limits_count_pixels_too(tmp_path: Path) -> None:
    """A picture within the limit of each side but with too many pixels is refused with that limit."""
    path = write_image(tmp_path / "a.png", corners())
    assert "at most 0.05 million pixels" in refusal(path, MediaLimits(image_pixels_max=50_000))
