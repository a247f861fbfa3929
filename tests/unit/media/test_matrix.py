"""Every kind of video file, through probing, decoding, encoding and joining, against libav's own decoding.

The networks and renderers are left out: the frames are encoded as they come.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.filter import Graph
from numpy.typing import NDArray

from bodydouble.media import (
    PlaneFormat,
    Quality,
    VideoInfo,
    VideoReader,
    probe_video,
    working_size,
)
from clips import (
    CLOCKWISE,
    COUNTERCLOCKWISE,
    FLIPPED,
    HALF_TURN,
    MIRRORED,
    TRANSPOSED,
    TRANSVERSED,
    UPRIGHT,
    number_of,
)
from media_matrix import CASES, FRAMES, PATCHES, Case, write_case
from media_pass import through

BORDER = 3
"""First frame of the second segment."""
LUMA_ERROR_MAX, CHROMA_ERROR_MAX, PATCH_ERROR_MAX = 4.0, 3.0, 2.0
"""Levels of 8 bits: mean over a plane, and of a patch's mean. Encoding costs this much at 96 x 64 pixels."""
AAC_FRAME_SECONDS = 1024 / 44_100
FILTERS = {
    UPRIGHT: "",
    CLOCKWISE: "transpose=clock,",
    HALF_TURN: "transpose=clock,transpose=clock,",
    COUNTERCLOCKWISE: "transpose=cclock,",
    MIRRORED: "hflip,",
    FLIPPED: "transpose=clock,transpose=cclock_flip,",
    TRANSPOSED: "transpose=cclock_flip,",
    TRANSVERSED: "transpose=clock_flip,",
}
"""Display matrix → filters with the effect of those that ``ffmpeg`` inserts for it.

vflip is not among them: its frames have negative line lengths, which numpy does not read.
"""


def decoded(path: Path, filters: str, pixels: str, size: tuple[int, int], colour: str) -> list[list[NDArray[Any]]]:
    """All frames of the first video stream as libav decodes and filters them: three planes of 8-bit levels each."""
    frames: list[list[NDArray[Any]]] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        graph, source, sink = Graph(), None, None
        for frame in container.decode(stream):
            if source is None:
                source = graph.add_buffer(
                    width=frame.width, height=frame.height, format=frame.format, time_base=stream.time_base
                )
                sink = graph.add("buffersink")
                chain: list[Any] = [source]
                scale = f"scale={size[0]}:{size[1]}:flags=bicubic+accurate_rnd+full_chroma_inp{colour}"
                for part in f"{filters}{scale},format={pixels}".split(","):
                    name, _, options = part.partition("=")
                    chain.append(graph.add(name, options or None))
                graph.link_nodes(*chain, sink).configure()
            source.push(frame)
            frames.append(planes_of(sink.pull()))  # pyright: ignore[reportOptionalMemberAccess]
    return frames


def planes_of(frame: Any) -> list[NDArray[Any]]:
    deep = frame.format.name.endswith("10le")
    kind = np.uint16 if deep else np.uint8
    planes = [np.frombuffer(p, kind).reshape(p.height, -1)[:, : p.width].astype(float) for p in frame.planes]
    return [plane / 4 for plane in planes] if deep else planes


def seconds(path: Path, track: int) -> list[Fraction]:
    """Times of a stream's frames or packets, in presentation order."""
    with av.open(str(path)) as container:
        stream = container.streams[track]
        times = [p.pts * p.time_base for p in container.demux(stream) if p.size and p.pts is not None]
    return sorted(times)  # type: ignore[type-var]


def audio_of(path: Path, track: int) -> tuple[list[bytes], str, float, float]:
    """Packets, language, start and length in seconds of an audio track, as played."""
    with av.open(str(path)) as container:
        stream: Any = container.streams[track]
        packets = [bytes(p) for p in container.demux(stream) if p.size]
        language = stream.language or "und"
    with av.open(str(path)) as container:
        stream = container.streams[track]
        frames = list(container.decode(stream))
        start = float(frames[0].pts * frames[0].time_base)
        length = sum(f.samples for f in frames) / stream.codec_context.sample_rate
    return packets, language, start, length


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_result_is_what_libav_decodes(tmp_path: Path, case: Case) -> None:
    """Frames, times, orientation, aspect, colours and audio of the result are those of the source."""
    source = write_case(case, tmp_path)
    info = probe_video(source)
    result = through(source, tmp_path, [BORDER], quality=Quality.HIGH, short_side=720)

    check_pictures(case, info, source, result)
    check_times(case, info, source, result)
    check_audio(case, info, source, result)


def check_pictures(case: Case, info: VideoInfo, source: Path, result: Path) -> None:
    made = probe_video(result)
    width, height = case.film.size
    wide = round(width * (case.film.aspect or case.aspect))
    shown = (height, wide) if case.matrix[0] == 0 else (wide, height)
    assert (info.width, info.height) == shown
    assert (made.width, made.height) == working_size(*shown, 720)
    assert made.colour.transfer == info.colour.transfer
    assert made.colour.full_range == info.colour.full_range
    assert (made.bit_depth, made.codec) == ((10, "hevc") if case.hdr else (8, "h264"))
    pixels = "yuv420p10le" if made.bit_depth == 10 else "yuv420p"
    form = PlaneFormat.of(info.colour, info.coded_height).colour
    colour = f":out_color_matrix={MATRIX_NAMES[form.matrix]}:out_range={'pc' if form.full_range else 'tv'}"
    size = (made.width, made.height)
    before = decoded(source, FILTERS[case.matrix], pixels, size, colour)
    after = decoded(result, "", pixels, size, colour)
    assert len(before) == len(after) == FRAMES
    upright = VideoReader(result, made, *size)
    if case.matrix == UPRIGHT:
        assert [number_of(image) for _, image in upright.read(0, FRAMES)] == list(range(FRAMES))
    for theirs, ours in zip(before, after, strict=True):
        errors = [float(np.abs(a - b).mean()) for a, b in zip(theirs, ours, strict=True)]
        assert errors[0] < LUMA_ERROR_MAX
        assert max(errors[1:]) < CHROMA_ERROR_MAX
    check_patches(case, before[0], after[0])


MATRIX_NAMES = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020"}


def check_patches(case: Case, theirs: list[NDArray[Any]], ours: list[NDArray[Any]]) -> None:
    """The mean of each colour patch, wherever the orientation puts it."""
    for a, b in zip(theirs, ours, strict=True):
        height, width = a.shape
        stored = np.zeros((6, 8), int)
        for k in range(len(PATCHES)):
            stored[4:, 2 * k : 2 * k + 2] = k + 1
        p, q, r, s = case.matrix
        turned = stored.T if p == 0 else stored
        turned = turned[:, ::-1] if (r if p == 0 else p) < 0 else turned
        turned = turned[::-1] if (q if p == 0 else s) < 0 else turned
        for k in range(len(PATCHES)):
            rows, columns = np.nonzero(turned == k + 1)
            top, bottom = rows.min() * height // turned.shape[0], (rows.max() + 1) * height // turned.shape[0]
            left, right = columns.min() * width // turned.shape[1], (columns.max() + 1) * width // turned.shape[1]
            inside = slice(top + 2, bottom - 2), slice(left + 2, right - 2)
            assert abs(float(a[inside].mean() - b[inside].mean())) < PATCH_ERROR_MAX


def check_times(case: Case, info: VideoInfo, source: Path, result: Path) -> None:
    made = probe_video(result)
    assert (info.frames, made.frames) == (FRAMES, FRAMES)
    before, after = (VideoReader(path, i, 64, 64) for path, i in ((source, info), (result, made)))
    times = [[(at - r.pts[0]) * i.time_base for at in r.pts] for r, i in ((before, info), (after, made))]
    assert times[0] == times[1]
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        theirs = [frame.pts for frame in container.decode(stream)]
    if None not in theirs and before.pts[0] == theirs[0]:  # AVI does not time reordered frames
        assert theirs == before.pts
    else:
        assert times[0] == pytest.approx([float(at * case.time_base) for at in case.ticks], abs=float(info.time_base))
    assert made.duration_seconds < 2


def check_audio(case: Case, info: VideoInfo, source: Path, result: Path) -> None:
    tracks = case.sound.tracks if case.sound else 0
    theirs = [] if info.audio is None else [info.audio, *info.more_audio]
    made = probe_video(result)
    ours = [] if made.audio is None else [made.audio, *made.more_audio]
    assert len(theirs) == len(ours) == tracks
    offset = min([seconds(source, info.track)[0], *(a.start_seconds for a in theirs)])
    for before, after in zip(theirs, ours, strict=True):
        packets, language, start, length = audio_of(source, before.track)
        copied, kept_language, kept_start, kept_length = audio_of(result, after.track)
        assert kept_language == language
        assert after.channels == before.channels
        if before.copyable:
            assert copied == packets
        else:
            assert after.codec == "aac"
        # A conversion to AAC can begin with silence of the encoder, up to one of its frames.
        silence = 0.0 if before.copyable else AAC_FRAME_SECONDS
        assert -silence - 0.002 < kept_start - (start - float(offset)) < 0.002
        assert kept_start + kept_length == pytest.approx(start - float(offset) + length, abs=0.03)
