"""What pictures and videos are accepted. Passed in by whoever asks; nothing here reads settings."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class MediaLimits:
    """Limits of videos follow the strictest of the hosted services; those of pictures let phones' originals in."""

    image_bytes_max: int = 50_000_000
    image_side_min: int = 200
    image_side_max: int = 16_384
    image_pixels_max: int = 110_000_000  # phones take pictures of 108 million
    video_bytes_max: int = 200_000_000
    video_seconds_min: float = 1.0
    video_seconds_max: float = 120.0
    video_side_min: int = 200
    video_side_max: int = 4096
    aspect_max: float = 3.0  # longer side over shorter side
    frame_rate_max: float = 120.0
    frames_max: int = 120 * 60
    sound_samples_max: int = 192_000 * 121  # uncompressed sound has one sample a tick
    edits_max: int = 256  # entries of an edit list: each may repeat the whole video
