"""Properties of videos and pictures, as found by probing."""

from dataclasses import dataclass
from fractions import Fraction

from bodydouble.media.orientation import Orientation

MP4_AUDIO = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "alac", "flac", "mp2"})
"""Audio codecs, by libav's names, that MP4 can store unchanged. Others are re-encoded to AAC."""
AAC_LAYOUTS = {
    **{name: name for name in ("mono", "stereo", "3.0", "4.0", "5.0", "5.1")},
    "5.0(side)": "5.0",
    "5.1(side)": "5.1",
    "6.1": "5.1",
    "7.0": "5.0",
    "7.1": "5.1",
    "7.1(wide)": "5.1",
}
"""Channel layouts, by libav's names → those of AAC that every player knows. Others become stereo or mono."""


@dataclass(frozen=True, kw_only=True)
class ColourTags:
    """Colour numbers of ISO/IEC 23091-2 (H.273); 2 is unspecified. ``full_range``: values 0-255 instead of 16-235."""

    primaries: int = 2
    transfer: int = 2
    matrix: int = 2
    full_range: bool = False


@dataclass(frozen=True, kw_only=True)
class MasteringInfo:
    """An HDR video's data on the display that it was graded on, and on its brightest light."""

    display: str | None = None  # SMPTE ST 2086, written as x265 does: G(x,y)B(x,y)R(x,y)WP(x,y)L(max,min)
    content_light: tuple[int, int] | None = None  # MaxCLL and MaxFALL in cd/m² (CTA-861.3)


@dataclass(frozen=True, kw_only=True)
class AudioInfo:
    """An audio track that the result holds."""

    track: int  # index of the stream in the file
    codec: str
    sample_rate_hz: int
    channels: int
    layout: str  # libav's name, such as "5.1"
    duration_seconds: float
    start_seconds: Fraction  # of the first sample that is played
    language: str  # ISO 639-2 code; "und" if undetermined
    title: str

    @property
    def copyable(self) -> bool:
        """Whether MP4 can store the packets unchanged."""
        return self.codec in MP4_AUDIO

    @property
    def aac_layout(self) -> str:
        """The channel layout after a conversion to AAC."""
        return AAC_LAYOUTS.get(self.layout, "mono" if self.channels == 1 else "stereo")


@dataclass(frozen=True, kw_only=True)
class MediaWarning:
    """A part of the source that the result lacks, or holds in another form."""

    code: str  # stable, such as audio_converted
    message: str  # for people
    about_audio: bool = False  # of no interest in a result without audio


@dataclass(frozen=True, kw_only=True)
class VideoInfo:
    """The video stream of a file that is processed."""

    container: str
    codec: str
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
    audio: AudioInfo | None  # the default audio track
    track: int  # index of the video stream in the file
    interlaced: bool  # frames hold two moments; VideoReader makes them progressive
    orientation: Orientation  # of decoded frames; width and height already include it
    more_audio: tuple[AudioInfo, ...]  # other audio tracks, such as further languages
    warnings: tuple[MediaWarning, ...]  # what the result will lack
    mastering: MasteringInfo | None = None  # of HDR videos that have it


@dataclass(frozen=True, kw_only=True)
class ImageInfo:
    """A still picture, with its orientation applied."""

    format: str
    width: int
    height: int
    orientation: int  # EXIF value 1-8 as stored; width and height already include it
