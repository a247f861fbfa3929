"""Exactness, size and time of decoding, compositing and encoding, without a renderer.

    python bench/media.py [--quick] [--video VIDEO ...]

A moving, textured ellipse stands for the character: it covers about a fifth of the frame. For each video and quality,
the script measures the background before and after encoding, the bytes and the processor time of a frame. The default
videos are the enlarged carphone sequence of the demo extra: once as SDR, once as HLG. The last line is one flat JSON
object.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from bodydouble.evaluation.background import BackgroundFidelity, SampleFidelity
from bodydouble.media import (
    ColourTags,
    PlaneFormat,
    Planes,
    Quality,
    SegmentEncoder,
    VideoReader,
    join_segments,
    planes_of_image,
    probe_video,
    working_size,
)
from bodydouble.shot import ShotRequest
from bodydouble.shot.output_samples import OutputSamples
from puppet import CORES, RATE, clip_frames, machine, write_clip

SIZE = (1280, 720)
HLG = ColourTags(primaries=9, transfer=18, matrix=9)
SOFT_PIXELS = 2.0
"""Standard deviation of the ellipse's edge."""
BACKGROUND_MARGIN = 49
"""Side in pixels of the square by which the ellipse is grown: what is left is background."""


def ellipse(index: int, height: int, width: int) -> np.ndarray:
    """(H, W) 0-255: where the character is in frame ``index``."""
    mask = np.zeros((height, width), np.uint8)
    centre = width // 2 + round(width / 40 * np.sin(index / 5)), round(height * 0.6)
    cv2.ellipse(mask, centre, (width // 7, round(height * 0.4)), 0, 0, 360, 255, -1)
    return mask


def drawn(index: int, image: np.ndarray) -> np.ndarray:
    """The frame with the mirrored picture in the ellipse; pixels outside it are unchanged."""
    alpha = cv2.GaussianBlur(ellipse(index, *image.shape[:2]), (0, 0), SOFT_PIXELS)[..., None] / np.float32(255)
    mixed = np.rint(image * (1 - alpha) + image[:, ::-1] * alpha)
    return np.where(alpha > 0, mixed, image).astype(np.uint8)


def write_hlg(path: Path, seconds: int) -> None:
    """The default clip as 10-bit HLG."""
    form = PlaneFormat.of(HLG, SIZE[1])
    with av.open(str(path), "w") as container:
        options = {"crf": "14", "preset": "ultrafast", "x265-params": "log-level=error"}
        stream: Any = container.add_stream("libx265", rate=Fraction(RATE), options=options)
        stream.width, stream.height, stream.pix_fmt = *SIZE, form.pixel_format
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = 9, 18, 9, 1
        for image in clip_frames(seconds * RATE, SIZE):
            container.mux(stream.encode(form.frame_of(planes_of_image(image, form))))
        container.mux(stream.encode())


def measure(video: Path, quality: Quality, folder: Path) -> dict[str, float | None]:
    """Figures of one video in one quality."""
    info = probe_video(video)
    reader = VideoReader(video, info, *working_size(info.width, info.height, SIZE[1]))
    request = ShotRequest(image=video, video=video, quality=quality)
    output, segment = OutputSamples(request, info, reader), folder / "segment.nut"

    def finished() -> Iterator[tuple[np.ndarray, Planes]]:
        images = (drawn(index, image) for index, image in reader.read(0, reader.frames))
        return OutputSamples(request, info, reader).of(images, 0)

    begin, spent = time.perf_counter(), time.process_time()
    with SegmentEncoder(
        segment,
        width=reader.width,
        height=reader.height,
        frame_rate=info.frame_rate,
        time_base=info.time_base,
        form=output.form,
        encoding=output.encoding,
    ) as encoder:
        for n, (_, planes) in enumerate(finished()):
            encoder.write(planes, reader.pts[n])
    seconds, processor = time.perf_counter() - begin, time.process_time() - spent
    result = folder / output.file_name
    join_segments([segment], video, info, result, keep_audio=False)
    made = VideoReader(result, probe_video(result), reader.width, reader.height)
    rgb, before, after = BackgroundFidelity(), SampleFidelity(output.form.bits), SampleFidelity(output.form.bits)
    sources = reader.read_planes(0, reader.frames, output.form)
    results = made.read_planes(0, reader.frames, output.form)
    for (n, shown, own), (_, unencoded), (_, image, coded) in zip(sources, finished(), results, strict=True):
        grown = cv2.dilate(ellipse(n, *shown.shape[:2]), np.ones((BACKGROUND_MARGIN,) * 2, np.uint8))
        background = np.asarray(grown == 0, np.bool_)
        rgb.add(shown, image, background)
        before.add(own, unencoded, background)
        after.add(own, coded, background)
    return {
        "exact_before": before.result()[1],
        "samples_db": after.result()[0],
        "rgb_db": rgb.result()[0],
        "rgb_worst_db": rgb.result()[1],
        "kb_per_frame": segment.stat().st_size / 1000 / reader.frames,
        "ms_per_frame": 1000 * seconds / reader.frames,
        "cpu_ms_per_frame": 1000 * processor / reader.frames,
    }


def main() -> None:
    """Measure all videos."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one second, and only the default quality")
    parser.add_argument("--video", type=Path, action="append", help="driving video; may be given several times")
    options = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    found: dict[str, float | str | None] = dict(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        videos = options.video or [folder / "sdr.mp4", folder / "hlg.mp4"]
        if not options.video:
            seconds = 1 if options.quick else 4
            write_clip(videos[0], seconds, SIZE)
            write_hlg(videos[1], seconds)
        for video in videos:
            for quality in [Quality.STANDARD] if options.quick else Quality:
                figures = {
                    key: None if v is None else round(v, 3) for key, v in measure(video, quality, folder).items()
                }
                print(f"{video.stem}, {quality}: {figures}", flush=True)
                found |= {f"{video.stem}_{quality}_{key}": value for key, value in figures.items()}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
