"""Tests of ``bodydouble.media.encode`` and ``mux``: frames, timestamps, colours and audio are preserved."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bodydouble.media import (
    ColourTags,
    PlaneFormat,
    Quality,
    SegmentEncoder,
    VideoReader,
    choose_encoding,
    join_segments,
    planes_of_image,
    probe_video,
)
from bodydouble.media.subtitles import default_styles
from clips import TICK, number_of, numbered, packets, write_clip
from media_pass import through

FORM = PlaneFormat.of(ColourTags(), 240)


def times(path: Path) -> list[Fraction]:
    """Seconds from the first frame to each."""
    info = probe_video(path)
    pts = VideoReader(path, info, info.width, info.height).pts
    return [(at - pts[0]) * info.time_base for at in pts]


def numbers(path: Path) -> list[int]:
    info = probe_video(path)
    footage = VideoReader(path, info, info.width, info.height)
    return [number_of(image) for _, image in footage.read(0, footage.frames)]


@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate])  # shrinking takes minutes
@given(
    gaps=st.lists(st.integers(320, 1800), min_size=44, max_size=44),
    borders=st.lists(st.integers(1, 44), min_size=2, max_size=2, unique=True).map(sorted),
)
def test_variable_rates_keep_every_timestamp(
    tmp_path_factory: pytest.TempPathFactory, gaps: list[int], borders: list[int]
) -> None:
    """With any gaps and segment borders, frames, timestamps and audio packets stay the same."""
    folder = tmp_path_factory.mktemp("vfr")
    source = write_clip(folder / "in.mp4", numbered(45), pts=np.cumsum([0, *gaps]).tolist(), sound="aac")
    result = through(source, folder, borders)
    assert times(result) == times(source)
    assert numbers(result) == list(range(45))
    # MP4 does not say how long the last frame of an uneven clip is shown; the length agrees but for that.
    lengths = [probe_video(path).duration_seconds for path in (source, result)]
    assert abs(lengths[0] - lengths[1]) <= max(gaps) * TICK
    assert packets(result, "audio") == packets(source, "audio")
    with av.open(str(result)) as container:
        decoding = [p.dts for p in container.demux(video=0) if p.size]
    assert decoding == sorted(set(decoding))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ntsc.mov", {"time_base": Fraction(1, 30000), "rate": Fraction(30000, 1001)}),
        ("ntsc.avi", {"time_base": Fraction(1001, 30000), "rate": Fraction(30000, 1001)}),
        ("milliseconds.mkv", {"time_base": Fraction(1, 1000), "rate": Fraction(30000, 1001)}),
        ("late.mp4", {"pts": [12800 + 512 * n for n in range(30)]}),
        ("one_tick.avi", {"time_base": Fraction(1, 25), "codec": "mpeg4", "b": "4000000"}),
    ],
)
def test_every_clock_is_kept(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    """Timestamps in NTSC, millisecond and whole-frame time bases, and with late starts, stay exact to the tick."""
    source = write_clip(tmp_path / name, numbered(30), **options)
    result = through(source, tmp_path, [10, 11])
    assert times(result) == times(source)
    assert numbers(result) == list(range(30))
    assert probe_video(result).frame_rate == probe_video(source).frame_rate
    assert probe_video(result).duration_seconds == pytest.approx(probe_video(source).duration_seconds, abs=1e-3)


@pytest.mark.parametrize("codec", ["aac", "libmp3lame", "ac3", "eac3", "libopus", "alac", "flac", "mp2"])
def test_sound_that_mp4_can_hold_is_copied(tmp_path: Path, codec: str) -> None:
    """Audio packets keep their bytes and times, also when they start late."""
    source = write_clip(tmp_path / "in.mkv", numbered(30), time_base=Fraction(1, 1000), sound=codec, sound_start=0.3)
    result = through(source, tmp_path, [15])
    before, after = packets(source, "audio"), packets(result, "audio")
    assert [data for _, data in after] == [data for _, data in before]
    assert [at for at, _ in after] == pytest.approx([at for at, _ in before], abs=1e-3)


def loudness(path: Path) -> np.ndarray:
    """Mean audio level of each 10 ms from time 0 on, as played."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        wave = np.zeros(48000 * 3, np.float32)
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=48000)
        for frame in container.decode(stream):
            at = round(float(frame.pts * frame.time_base) * 48000)  # pyright: ignore[reportOperatorIssue]
            data = np.concatenate([f.to_ndarray()[0] for f in resampler.resample(frame)] or [np.zeros(0)])
            begin = max(0, -at)
            wave[max(at, 0) : max(at, 0) + len(data) - begin] = data[begin:]
    return np.abs(wave).reshape(-1, 480).mean(1)


@pytest.mark.parametrize(
    ("name", "codec"), [("in.mkv", "pcm_s16le"), ("in.mov", "pcm_s24be"), ("in.mkv", "vorbis"), ("in.avi", "pcm_s16le")]
)
@pytest.mark.parametrize("start", [0.0, 0.4])
def test_other_sound_becomes_aac_in_time(tmp_path: Path, name: str, codec: str, start: float) -> None:
    """PCM and Vorbis are re-encoded, and the tone keeps its start and end."""
    source = write_clip(tmp_path / name, numbered(30), time_base=Fraction(1, 25), sound=codec, sound_start=start)
    result = through(source, tmp_path, [15])
    info = probe_video(result)
    assert info.audio is not None
    assert (info.audio.codec, info.audio.sample_rate_hz, info.audio.channels) == ("aac", 48000, 2)
    before, after = loudness(source) > 0.05, loudness(result) > 0.05
    assert abs(int(before.argmax()) - int(after.argmax())) <= 1
    assert abs(int(before.sum()) - int(after.sum())) <= 3


def test_sound_is_left_out_on_request(tmp_path: Path) -> None:
    """With ``keep_audio=False`` the result has no audio."""
    source = write_clip(tmp_path / "in.mp4", numbered(26), sound="aac")
    assert probe_video(through(source, tmp_path, [], keep_audio=False)).audio is None


def test_result_is_made_for_players(tmp_path: Path) -> None:
    """The result is H.264 yuv420p, with index first, colour tags and comment, and without the current time."""
    source = write_clip(tmp_path / "in.mp4", numbered(26), matrix=1)
    data = through(source, tmp_path, [9]).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert b"made by a machine" in data
    creation = data.index(b"mvhd") + 8
    assert data[creation : creation + 8] == bytes(8)
    with av.open(str(tmp_path / "out.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.codec.canonical_name, context.pix_fmt) == ("h264", "yuv420p")
        assert (int(context.colorspace), int(context.color_range)) == (1, 1)


def test_the_same_bytes_every_time(tmp_path: Path) -> None:
    """Two runs over the same segments give the same bytes, also after the second segment was encoded again."""
    source = write_clip(tmp_path / "in.mp4", numbered(40), sound="aac")
    first = through(source, tmp_path, [13, 27], name="a.mp4").read_bytes()
    assert through(source, tmp_path, [13, 27], name="b.mp4").read_bytes() == first


def test_untagged_colours_are_tagged_by_size(tmp_path: Path) -> None:
    """The result of an untagged video has the colour tags that players assume for its size."""
    source = write_clip(tmp_path / "in.mp4", numbered(26))
    assert probe_video(source).colour.matrix == 2
    assert probe_video(through(source, tmp_path, [])).colour.matrix == 6


@pytest.mark.parametrize(
    "tags", [ColourTags(), ColourTags(matrix=1), ColourTags(matrix=9), ColourTags(full_range=True)]
)
def test_colours_and_detail_survive(tmp_path: Path, tags: ColourTags) -> None:
    """In every matrix and range, a flat colour changes by rounding only, and a ramp keeps 38 dB PSNR."""
    images = numbered(12)
    for image in images:
        image[80:160] = image[80:160, :, :1]
        image[160:] = (200, 90, 60)
    path, form = tmp_path / "a.nut", PlaneFormat.of(tags, 240)
    with SegmentEncoder(
        path,
        width=256,
        height=240,
        frame_rate=Fraction(25),
        time_base=TICK,
        form=form,
        encoding=choose_encoding(form, Quality.STANDARD),
    ) as encoder:
        for n, image in enumerate(images):
            encoder.write(planes_of_image(image, form), n * 512)
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    matrix = {2: 5, 1: 1, 9: 9}[tags.matrix]
    shown = [
        f.reformat(format="rgb24", src_colorspace=matrix, src_color_range=1 + tags.full_range, dst_color_range=2)
        for f in frames
    ]
    assert len(shown) == 12
    for frame, image in zip(shown, images, strict=True):
        after = frame.to_ndarray().astype(int)
        assert np.abs(after[180:230] - (200, 90, 60)).max() <= 6
        error = np.mean((after[90:150] - image[90:150].astype(int)) ** 2)
        assert 10 * np.log10(255**2 / error) >= 38


def test_a_segment_is_whole_or_absent(tmp_path: Path) -> None:
    """An exception while writing leaves neither the segment nor its temporary file."""
    path = tmp_path / "a.nut"

    def interrupted() -> None:
        with _encoder(path) as encoder:
            encoder.write(planes_of_image(numbered(1)[0], FORM), 0)
            assert not path.exists()
            raise InterruptedError

    with pytest.raises(InterruptedError):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def _encoder(path: Path) -> SegmentEncoder:
    return SegmentEncoder(
        path,
        width=256,
        height=240,
        frame_rate=Fraction(25),
        time_base=TICK,
        form=FORM,
        encoding=choose_encoding(FORM, Quality.STANDARD),
    )


def test_segments_must_hold_every_frame(tmp_path: Path) -> None:
    """A missing segment is an error, and no result is left behind."""
    source = write_clip(tmp_path / "in.mp4", numbered(26))
    with _encoder(tmp_path / "a.nut") as encoder:
        encoder.write(planes_of_image(numbered(1)[0], FORM), 0)
    with pytest.raises(ValueError, match="hold 1 frames, the source 26"):
        join_segments([tmp_path / "a.nut"], source, probe_video(source), tmp_path / "out.mp4")
    assert not list(tmp_path.glob("out*"))


def shifted(source: Path, name: str, seconds: Fraction, sounds: list[tuple[str, bool]] | None = None) -> Path:
    """A copy of ``source`` with all times later, its sound once for each (language, default) of ``sounds``."""
    path = source.with_name(name)
    with av.open(str(source)) as before, av.open(str(path), "w") as after:
        kinds: list[tuple[Any, str, bool]] = [(before.streams.video[0], "und", True)]
        kinds += [(before.streams.audio[0], *sound) for sound in sounds or [("und", True)]]
        copies: dict[int, list[Any]] = {}
        for stream, language, default in kinds:
            copy = after.add_stream_from_template(stream)
            copy.metadata["language"] = language
            copy.disposition = Disposition.default if default else Disposition(0)
            copies.setdefault(stream.index, []).append(copy)
        for packet in before.demux():
            if packet.size and packet.pts is not None and packet.dts is not None:
                start, dts, data = packet.pts, packet.dts, bytes(packet)
                for copy in copies[packet.stream.index]:
                    twin = av.Packet(data)
                    twin.stream, twin.time_base, twin.is_keyframe = copy, packet.time_base, packet.is_keyframe
                    delay = round(seconds / packet.time_base)
                    twin.pts, twin.dts, twin.duration = start + delay, dts + delay, packet.duration
                    after.mux(twin)
    return path


def starts(path: Path) -> dict[str, float]:
    with av.open(str(path)) as container:
        return {s.type: float((s.start_time or 0) * s.time_base) for s in container.streams}  # pyright: ignore


@pytest.mark.parametrize(("sound_start", "video_start"), [(0.2, 0.0), (0.0, 0.04)])
def test_a_common_start_is_removed(tmp_path: Path, sound_start: float, video_start: float) -> None:
    """A recording that starts at ten hours starts at zero in the result; sound and picture keep their difference."""
    pts = [round(video_start / TICK) + 512 * n for n in range(12)]
    clip = write_clip(tmp_path / "a.mp4", numbered(12, 96, 96), pts=pts, sound="aac", sound_start=sound_start)
    source = shifted(clip, "late.mkv", Fraction(36_000))
    assert starts(source)["video"] > 35_999
    result = through(source, tmp_path, [5])
    info = probe_video(result)
    assert info.duration_seconds < 1
    found = starts(result)
    assert min(found.values()) == pytest.approx(0, abs=1e-3)
    before = starts(source)
    assert found["audio"] - found["video"] == pytest.approx(before["audio"] - before["video"], abs=1e-4)
    assert times(result) == times(source)


def test_every_sound_track_is_kept_and_the_default_first(tmp_path: Path) -> None:
    """Three languages survive; the source's default track is the first and the default of the result."""
    clip = write_clip(tmp_path / "a.mp4", numbered(8, 96, 96), sound="aac")
    source = shifted(clip, "three.mkv", Fraction(0), [("deu", False), ("eng", True), ("fra", False)])
    result = through(source, tmp_path, [5])
    with av.open(str(result)) as container:
        sounds = container.streams.audio
        assert [s.language for s in sounds] == ["eng", "deu", "fra"]
        assert [bool(s.disposition & Disposition.default) for s in sounds] == [True, False, False]
    assert probe_video(source).warnings == ()


def waveform(path: Path) -> NDArray[np.float32]:
    """The first channel of the default audio track from time 0 on, as libav plays it."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        rate = stream.codec_context.sample_rate
        wave = np.zeros(2 * rate, np.float32)
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=rate)
        for frame in container.decode(stream):
            at = round(float(frame.pts * frame.time_base) * rate)  # pyright: ignore[reportOperatorIssue]
            data = np.concatenate([f.to_ndarray()[0] for f in resampler.resample(frame)])
            cut = max(0, -at)
            wave[at + cut : at + len(data)] = data[cut:]
    return wave


@pytest.mark.parametrize("codec", ["libopus", "aac", "libmp3lame", "pcm_s16le"])
def test_encoder_delay_is_kept_to_the_sample(tmp_path: Path, codec: str) -> None:
    """Sound from a Matroska file, which rounds to milliseconds, starts at the same sample as from an exact file."""
    name = "a.mov" if codec == "pcm_s16le" else "a.mp4"
    exact = write_clip(tmp_path / name, numbered(12, 96, 96), sound=codec, sound_seed=5)
    tick = Fraction(1, 1000)
    rounded = write_clip(tmp_path / "b.mkv", numbered(12, 96, 96), sound=codec, sound_seed=5, time_base=tick)
    result = waveform(through(rounded, tmp_path, [5]))
    expected = waveform(exact)
    both = np.fft.irfft(np.fft.rfft(expected, 2**18).conj() * np.fft.rfft(result, 2**18))
    assert int(np.argmax(both)) == 0


@pytest.mark.parametrize("codec", ["mov_text", "subrip", "ass"])
def test_subtitles_chapters_and_timecode_are_kept(tmp_path: Path, codec: str) -> None:
    """Text subtitles with language and times, chapters with titles, and the timecode are in the result."""
    clip = write_clip(tmp_path / "a.mp4", numbered(25, 96, 96))
    path = tmp_path / ("b.mp4" if codec == "mov_text" else "b.mkv")
    with av.open(str(clip)) as before, av.open(str(path), "w") as after:
        film = after.add_stream_from_template(before.streams.video[0])
        film.codec_context.framerate = 25
        film.metadata["timecode"] = "01:02:03:04"
        text: Any = after.add_stream(codec)
        text.codec_context.subtitle_header = default_styles()
        text.metadata["language"] = "fra"
        after.set_chapters([_chapter(1, 0, 400, "Un"), _chapter(2, 400, 1000, "Deux")])
        for packet in before.demux(video=0):
            if packet.size:
                packet.stream = film
                after.mux(packet)
        words = {"mov_text": b"\0\7Bonjour", "subrip": b"Bonjour", "ass": b"0,0,Default,,0,0,0,,Bonjour"}[codec]
        subtitle = av.Packet(words)
        subtitle.stream, subtitle.time_base = text, Fraction(1, 1000)
        subtitle.pts, subtitle.dts, subtitle.duration = 200, 200, 300
        after.mux(subtitle)
    result = through(path, tmp_path, [5])
    assert probe_video(path).warnings == ()
    with av.open(str(result)) as container:
        chapters: list[Any] = container.chapters()
        ends = [(c["metadata"]["title"], c["end"] * c["time_base"]) for c in chapters]
        assert ends == [("Un", Fraction(2, 5)), ("Deux", Fraction(1))]
        assert container.streams.video[0].metadata["timecode"] == "01:02:03:04"
        subtitles = container.streams.subtitles[0]
        assert subtitles.language == "fra"
        shown = [(p.pts * p.time_base, bytes(p)[2:9]) for p in container.demux(subtitles) if p.size > 2]
        assert shown == [(Fraction(1, 5), b"Bonjour")]


def _chapter(number: int, start: int, end: int, title: str) -> Any:
    return {
        "id": number,
        "start": start,
        "end": end,
        "time_base": Fraction(1, 1000),
        "metadata": {"title": title},
    }
