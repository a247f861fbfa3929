"""Reading the reference image: every common still format, upright, 8-bit sRGB."""

import io
import logging
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from bodydouble.media.limits import MediaLimits
from bodydouble.media.rejection import check_file, rejected
from bodydouble.media.video_info import ImageInfo
from bodydouble.tasks.errors import MediaRejected

_log = logging.getLogger(__name__)

pi_heif.register_heif_opener()
Image.MAX_IMAGE_PIXELS = None  # ``MediaLimits.image_pixels_max`` is checked before anything is decoded

FORMATS = {
    "JPEG": "JPEG",
    "MPO": "JPEG",  # a JPEG with further pictures behind the first one, as phones write it
    "PNG": "PNG",
    "WEBP": "WebP",
    "BMP": "BMP",
    "HEIF": "HEIC",
    "AVIF": "AVIF",
}
"""Pillow's names of the accepted formats, and what people call them."""
DECODERS = [name for name in FORMATS if name != "MPO"]
"""Pillow's decoders that may look at a file. The one for JPEG also reads MPO."""
ACCEPTED = "JPEG, PNG, WebP, BMP, HEIC and AVIF pictures are accepted"
FOREIGN = {b"GIF8": "GIF", b"II*\0": "TIFF", b"MM\0*": "TIFF", b"8BPS": "PSD", b"%PDF": "PDF", b"\0\0\1\0": "ICO"}
"""First bytes of formats that are refused by name."""
WORKING_SIDE_MAX = 4096
"""A larger picture is scaled down when it is read, in pixels. No video that we make needs more of it."""
BACKDROP = 128
"""Transparent pixels are shown on neutral grey, so that both light and dark hair stand out from it."""
ORIENTATION_TAG = 0x0112  # EXIF 2.3, section 4.6.4
SIDEWAYS = 5  # EXIF orientations from here on swap width and height


def picture_format(head: bytes) -> str | None:
    """The picture format of a file that begins with ``head`` (at least 16 bytes), or None if it is no picture."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"BM"):
        return "BMP"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"):
        return "HEIC"
    if head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis"):
        return "AVIF"
    return next((name for magic, name in FOREIGN.items() if head.startswith(magic)), None)


def probe_image(path: Path, limits: MediaLimits = MediaLimits(), field: str = "image") -> ImageInfo:
    """Format and size of a still picture, from its header; no pixel is decoded.

    Raises:
        MediaRejected: not an accepted format, damaged, or outside a limit; the message names ``field``.
    """
    with _opened(path, limits, field) as image:
        orientation = _orientation(image)
        width, height = image.size[::-1] if orientation >= SIDEWAYS else image.size
        return ImageInfo(format=FORMATS[image.format], width=width, height=height, orientation=orientation)


def read_image(path: Path, limits: MediaLimits = MediaLimits(), field: str = "image") -> NDArray[np.uint8]:
    """(H, W, 3) RGB in sRGB, upright, 8 bit, transparency shown on grey, sides of at most ``WORKING_SIDE_MAX``.

    An embedded ICC profile (Display P3, Adobe RGB, CMYK) is converted to sRGB. Of several pictures in one file, the
    first one or the one marked as primary is read.

    Raises:
        MediaRejected: see ``probe_image``; or the pixels cannot be decoded.
    """
    with _opened(path, limits, field) as opened:
        try:
            # A JPEG is decoded at a fraction of its size where that suffices.
            opened.thumbnail((WORKING_SIDE_MAX, WORKING_SIDE_MAX), Image.Resampling.LANCZOS, reducing_gap=3.0)
            opened.load()
            image = ImageOps.exif_transpose(opened)
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            raise _damaged(FORMATS[opened.format], field) from error
    return np.ascontiguousarray(_to_srgb(image))


def _opened(path: Path, limits: MediaLimits, field: str) -> Any:
    """The picture, with only its header read and within the limits."""
    check_file(path, limits.image_bytes_max, field)
    data = path.read_bytes()
    name = picture_format(data[:16])
    if name is None:
        raise rejected(field, f"the file is not a picture that can be read; {ACCEPTED}")
    if name not in FORMATS.values():
        raise rejected(field, f"the file is a {name} picture; save it as JPEG or PNG")
    if not _has_end(name, data):
        raise _damaged(name, field)
    try:
        image = Image.open(io.BytesIO(data), formats=DECODERS)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        raise _damaged(name, field) from error
    _check_size(image.width, image.height, limits, field)
    return image


def _has_end(name: str, data: bytes) -> bool:
    """Whether the end that the format prescribes is in the file; damage between is found when decoding."""
    match name:
        case "JPEG":
            return data.rfind(b"\xff\xd9") > data.find(b"\xff\xda")  # end of image after start of scan
        case "PNG":
            return b"IEND" in data
        case "WebP":
            return 8 + int.from_bytes(data[4:8], "little") <= len(data)
        case _:
            return True


def _check_size(width: int, height: int, limits: MediaLimits, field: str) -> None:
    low, high = limits.image_side_min, limits.image_side_max
    if not low <= min(width, height) <= max(width, height) <= high:
        raise rejected(field, f"the picture is {width} × {height}; its sides must be {low} to {high} pixels")
    if width * height > limits.image_pixels_max:
        raise rejected(
            field,
            f"the picture is {width} × {height}; at most {limits.image_pixels_max / 1e6:g} million pixels are accepted",
        )


def _orientation(image: Any) -> int:
    """EXIF orientation 1-8; 1 (upright) where it is missing or invalid."""
    # Pillow would decode a PNG whole to look for a late EXIF chunk.
    if image.format == "PNG" and "exif" not in image.info:
        return 1
    try:
        value = image.getexif().get(ORIENTATION_TAG, 1)
    except (OSError, SyntaxError, ValueError):
        return 1
    return value if value in range(1, 9) else 1


def _to_srgb(image: Any) -> NDArray[np.uint8]:
    """(H, W, 3) sRGB of any of Pillow's modes."""
    if image.mode.startswith("I"):  # 16-bit grey
        grey = ((np.asarray(image).astype(np.uint32) + 128) // 257).astype(np.uint8)
        return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)
    profile = image.info.get("icc_profile")
    alpha = None
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        alpha = np.asarray(image.getchannel("A"), np.float32)[..., None] / 255
        image = image.convert("RGB")
    elif image.mode in ("1", "P"):
        image = image.convert("RGB")
    image = _converted(image, profile).convert("RGB")
    if alpha is None:
        return np.asarray(image, np.uint8)
    return (np.asarray(image, np.float32) * alpha + BACKDROP * (1 - alpha) + 0.5).astype(np.uint8)


def _converted(image: Any, profile: bytes | None) -> Any:
    """``image`` in sRGB according to its ICC profile; unchanged without one, or if the profile is sRGB or unusable."""
    if not profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return image
        return ImageCms.profileToProfile(
            image,
            source,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        _log.info("the picture's colour profile cannot be used: %s", error)
        return image


def _damaged(name: str, field: str) -> MediaRejected:
    return rejected(field, f"the {name} picture is cut off or damaged and cannot be decoded; save it again")
