"""Evaluation of a finished result against its two inputs."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bodydouble.evaluation.comparison import Comparison, Reference, Unencoded
from bodydouble.evaluation.media_integrity import compare_media
from bodydouble.evaluation.reference_views import reference_views
from bodydouble.evaluation.result import Evaluation
from bodydouble.media import MediaLimits, PlaneFormat, VideoInfo, VideoReader, probe_video, read_image
from bodydouble.perception import ModelPack, Perception, PersonChoice, PersonTrack, analyse_portrait, perceive
from bodydouble.tasks.errors import MediaRejected, NobodyFound

SHARES = (0.42, 0.42, 0.16)
"""Shares of the time: perceiving the source, perceiving the output, comparing them."""

Report = Callable[[float], None]


def evaluate(
    output: Path,
    video: Path,
    image: Path,
    pack: ModelPack,
    person: PersonChoice = PersonChoice(),
    limits: MediaLimits = MediaLimits(),
    report: Report = lambda fraction: None,
    true_background: Path | None = None,
    unencoded: Path | None = None,
) -> Evaluation:
    """Measure ``output``, made of the driving ``video`` and the reference ``image``.

    The source is compared at the output's size. ``person`` is the person that was replaced. ``report`` is told the
    fraction 0-1 and may raise to stop. ``true_background`` is a video of the same scene without the person, where
    ``video`` is a composite over it. ``unencoded`` is the same shot exported losslessly.

    Raises:
        MediaRejected: one of the files cannot be read, or ``unencoded`` has another size than ``output``.
        NobodyFound: the source or the reference shows no person.
    """
    made = probe_video(output, limits, field="output")
    given = probe_video(video, limits, field="video")
    output_reader = VideoReader(output, made, made.width, made.height)
    source_reader = VideoReader(video, given, made.width, made.height)
    reference = read_image(image, limits, field="image")
    portrait = analyse_portrait(pack, reference)
    truth = _reader(true_background, limits, made) if true_background is not None else None
    with tempfile.TemporaryDirectory(prefix="bodydouble-eval-") as scratch:
        first, second, third = SHARES
        source = perceive(pack, source_reader, person, Path(scratch, "source"), lambda f: report(first * f))
        try:
            replaced: Perception | None = perceive(
                pack,
                output_reader,
                _same_position(source.track, person, made.width, made.height),
                Path(scratch, "output"),
                lambda f: report(first + second * f),
            )
        except NobodyFound:
            replaced = None  # a finding about the output, not an error
        views = reference_views(pack, reference, portrait.track)
        comparison = Comparison(source, replaced, pack, Reference(image=reference, portrait=portrait, views=views))
        before = _unencoded(unencoded, video, limits, made) if unencoded is not None else None
        comparison.run(source_reader, output_reader, lambda f: report(first + second + third * f), truth, before)
    delivery = compare_media((video, given, source_reader), (output, made, output_reader))
    return comparison.evaluation(made.width, made.height, delivery)


def _reader(path: Path, limits: MediaLimits, size: VideoInfo) -> VideoReader:
    info = probe_video(path, limits, field="background")
    return VideoReader(path, info, size.width, size.height)


def _unencoded(path: Path, video: Path, limits: MediaLimits, made: VideoInfo) -> Unencoded:
    info, given = probe_video(path, limits, field="unencoded"), probe_video(video, limits, field="video")
    if (info.width, info.height) != (made.width, made.height):
        raise MediaRejected(
            f"unencoded: it is {info.width} × {info.height}, the result {made.width} × {made.height}; export the same "
            "shot.",
            field="unencoded",
        )
    return Unencoded(
        source=VideoReader(video, given, info.width, info.height),
        result=VideoReader(path, info, info.width, info.height),
        form=PlaneFormat.of(info.colour, info.coded_height, info.bit_depth),
    )


def _same_position(track: PersonTrack, person: PersonChoice, width: int, height: int) -> PersonChoice:
    """The person to track in the output: the one at the actor's position in the first frame."""
    if not track.present[0]:
        return person
    x0, y0, x1, y1 = (float(v) for v in track.box[0])
    middle = np.clip([(x0 + x1) / 2 / width, (y0 + y1) / 2 / height], 0, 1)
    return PersonChoice(point=(float(middle[0]), float(middle[1])))
