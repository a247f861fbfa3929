"""A small H.264 copy of a video, for browsers that cannot play the original."""

from fractions import Fraction
from pathlib import Path

import av
from av import VideoFrame

from bodydouble.media.decode import VideoReader
from bodydouble.media.limits import MediaLimits
from bodydouble.media.probe import probe_video
from bodydouble.media.size import working_size
from bodydouble.tasks.atomic_files import atomic_file

SHORT_SIDE_MAX = 360
"""Pixels. The copy is for looking at, not for delivery."""
ENCODER_OPTIONS = {"crf": "26", "preset": "veryfast", "threads": "2"}
"""Chosen by eye on 2026-11-28: no blocks are visible at the size of the players, about 0.5 MB for 10 s."""
TICK = Fraction(1, 90_000)
"""Seconds. MP4 cannot hold every time base of the sources."""


def write_proxy(source: Path, target: Path, limits: MediaLimits) -> None:
    """Write a silent copy of the video ``source`` as MP4 to ``target``. It starts at 0 and keeps the frames' times.

    Raises:
        MediaRejected: the video cannot be used.
    """
    info = probe_video(source, limits, "video")
    reader = VideoReader(source, info, *working_size(info.width, info.height, SHORT_SIDE_MAX))
    options = {"movflags": "+faststart"}
    with atomic_file(target) as part, av.open(str(part), "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=info.frame_rate, options=ENCODER_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = reader.width, reader.height, "yuv420p"
        stream.codec_context.time_base = TICK
        for index, image in reader.read(0, reader.frames):
            frame = VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = round((reader.pts[index] - reader.pts[0]) * info.time_base / TICK)
            frame.time_base = TICK
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
