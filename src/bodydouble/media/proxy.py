"""A small H.264 copy of a video, for browsers that cannot play the original."""

from pathlib import Path

from bodydouble.media.browser_video import SHORT_SIDE_MAX, BrowserVideoWriter
from bodydouble.media.decode import VideoReader
from bodydouble.media.limits import MediaLimits
from bodydouble.media.probe import probe_video
from bodydouble.media.size import working_size


def write_proxy(source: Path, target: Path, limits: MediaLimits) -> None:
    """Write a silent copy of the video ``source`` as MP4 to ``target``. It starts at 0 and keeps the frames' times.

    Raises:
        MediaRejected: the video cannot be used.
    """
    info = probe_video(source, limits, "video")
    reader = VideoReader(source, info, *working_size(info.width, info.height, SHORT_SIDE_MAX))
    with BrowserVideoWriter(target, reader.width, reader.height, info.frame_rate) as writer:
        for index, image in reader.read(0, reader.frames):
            writer.write(image, (reader.pts[index] - reader.pts[0]) * info.time_base)
