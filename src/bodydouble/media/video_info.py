"""Properties of videos and pictures, as found by probing."""

from dataclasses import dataclass
from fractions import Fraction

from bodydouble.media.orientation import Orientation

MP4_AUDIO = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "alac", "flac", "mp2"})
"""Audio codecs, by libav's names, that MP4 can store unchanged. Others are re-encoded to AAC."""


@dataclass(frozen=True, kw_only=True)
class ColourTags:
    """Colour numbers of ISO/IEC 23091-2 (H.273); 2 is unspecified. ``full_range``: values 0-255 instead of 16-235."""

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
        """Whether MP4 can store the packets unchanged."""
        return self.codec in MP4_AUDIO


@dataclass(frozen=True, kw_only=True)
class VideoInfo:
    """The video stream of a file that is processed."""

    container: str
    codec: str
    coded_width: int
    coded_height: int
    width: int  # as displayed, after rotation and sample aspect
    height: int
    sample_aspect: Fraction
    frame_rate: Fraction  # average, frames/s
    time_base: Fraction  # seconds a tick
    frames: int
    duration_seconds: float
    variable_rate: bool
    bit_depth: int
    colour: ColourTags
    audio: AudioInfo | None
    track: int  # index of the video stream in the file
    interlaced: bool  # frames hold two moments; VideoReader makes them progressive
    orientation: Orientation  # of decoded frames; width and height already include it


@dataclass(frozen=True, kw_only=True)
class ImageInfo:
    """A still picture, with its orientation applied."""

    format: str
    width: int
    height: int
    orientation: int  # EXIF value 1-8 as stored; width and height already include it
