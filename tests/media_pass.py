"""A video through decoding, encoding and joining, without perception and renderer."""

from pathlib import Path

from bodydouble.media import (
    PlaneFormat,
    Quality,
    SegmentEncoder,
    VideoReader,
    choose_encoding,
    join_segments,
    probe_video,
    working_size,
)


def through(
    source: Path,
    folder: Path,
    borders: list[int],
    *,
    name: str = "out.mp4",
    keep_audio: bool = True,
    quality: Quality = Quality.STANDARD,
    short_side: int = 240,
) -> Path:
    """The result of a shot in which no pixel is drawn, in segments that end at ``borders``."""
    info = probe_video(source)
    footage = VideoReader(source, info, *working_size(info.width, info.height, short_side))
    form = PlaneFormat.of(info.colour, info.coded_height)
    segments: list[Path] = []
    for start, stop in zip([0, *borders], [*borders, footage.frames], strict=True):
        segments.append(folder / f"{name}-{start}.nut")
        with SegmentEncoder(
            segments[-1],
            width=footage.width,
            height=footage.height,
            frame_rate=info.frame_rate,
            time_base=info.time_base,
            form=form,
            encoding=choose_encoding(form, quality, info.mastering),
        ) as encoder:
            for n, _, planes in footage.read_planes(start, stop, form):
                encoder.write(planes, footage.pts[n])
    join_segments(segments, source, info, folder / name, keep_audio=keep_audio, texts={"comment": "made by a machine"})
    return folder / name
