"""Limits of accepted pictures and videos. Callers pass them in; this package reads no settings."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class MediaLimits:
    """Limits of inputs. Renderers can require more of a video: see ``RendererPlugin.video_minimum``.

    The largest videos are those of the strictest hosted service. Picture limits admit phone originals.
    """

    image_bytes_max: int = 50_000_000
    image_side_min: int = 200
    image_side_max: int = 16_384
    image_pixels_max: int = 110_000_000  # phone cameras reach 108 million
    video_bytes_max: int = 200_000_000
    video_seconds_min: float = 0.0  # one frame is enough
    video_seconds_max: float = 120.0
    video_side_min: int = 64  # below this, perception has no pixels to find a person in
    video_side_max: int = 4096
    aspect_max: float = 3.0  # longer side over shorter side
    frame_rate_max: float = 120.0
    frames_max: int = 120 * 60  # 120 s at 60 frames/s
    sound_samples_max: int = 192_000 * 121  # 121 s at 192 kHz; MP4 counts every sample of uncompressed sound
    edits_max: int = 256  # entries of an MP4 edit list; each can repeat the whole video
