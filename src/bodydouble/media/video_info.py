"""What a video is, as probed."""

from dataclasses import dataclass
from fractions import Fraction

# Audio that MP4 can hold as it is; anything else is re-encoded to AAC.
MP4_AUDIO = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "alac", "flac", "mp2"})


@dataclass(frozen=True, kw_only=True)
class ColourTags:
    """As numbered by ISO/IEC 23091-2 (H.273); 2 is unspecified. ``full_range`` is 0-255 instead of 16-235."""

    primaries: int = 2
    transfer: int = 2
    matrix: int = 2
    full_range: bool = False


@dataclass(frozen=True, kw_only=True)
class AudioInfo:
    """The first audio stream."""

    codec: str
    sample_rate_hz: int
    channels: int
    duration_seconds: float

    @property
    def copyable(self) -> bool:
        """Whether MP4 can hold the packets unchanged."""
        return self.codec in MP4_AUDIO


@dataclass(frozen=True, kw_only=True)
class VideoInfo:
    """The first video stream of a file."""

    container: str
    codec: str
    coded_width: int
    coded_height: int
    width: int  # as displayed: rotation and sample aspect resolved
    height: int
    rotation: int  # 0, 90, 180 or 270 degrees, clockwise, to be applied for display
    sample_aspect: Fraction
    frame_rate: Fraction  # average
    time_base: Fraction
    frames: int
    duration_seconds: float
    variable_rate: bool
    bit_depth: int
    colour: ColourTags
    audio: AudioInfo | None


@dataclass(frozen=True, kw_only=True)
class ImageInfo:
    """A still picture, orientation resolved."""

    format: str
    width: int
    height: int
    orientation: int  # EXIF 1-8 as stored; already resolved in width and height
