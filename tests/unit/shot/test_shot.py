"""Tests of the stages of a shot: artefacts, resume and progress."""

import dataclasses
import shutil
from pathlib import Path

import av
import numpy as np
import pytest

from bodydouble.media import MediaLimits, Quality, probe_video
from bodydouble.perception import ModelPack
from bodydouble.perception.arrays import Image
from bodydouble.renderers.protocol import RenderWarning
from bodydouble.shot import Shot, ShotProgress, ShotRequest
from bodydouble.tasks.errors import Cancelled, InputRejected, MediaRejected, RendererUnavailable
from box_shot import PACK, BoxRenderer, box_plugin
from clips import HLG, numbered, write_clip, write_hdr
from material import landscape, write_image, write_video


def _audio(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(audio=0) if p.size]


def test_a_shot_keeps_frames_rate_size_and_sound(box_request: ShotRequest, workspace: Path) -> None:
    """The result keeps the source's frame count, times, size and audio packets, and describes itself."""
    result = Shot.create(workspace, box_request, PACK, plugin=box_plugin(BoxRenderer())).run()
    assert (result.frames, result.width, result.height, result.audio) == (30, 320, 240, True)
    assert result.frame_rate == 25
    assert result.renderer == "box"
    assert result.warnings == [{"code": "box", "message": "This is a box."}]
    with av.open(str(result.path)) as made, av.open(str(box_request.video)) as source:
        times = [[f.time for f in c.decode(video=0)] for c in (made, source)]
    assert times[0] == times[1]
    assert _audio(result.path) == _audio(box_request.video)


def test_without_sound_on_request(box_request: ShotRequest, workspace: Path) -> None:
    """With ``keep_audio=False`` the result has no audio, and its description says so."""
    silent = dataclasses.replace(box_request, keep_audio=False)
    result = Shot.create(workspace, silent, PACK, plugin=box_plugin(BoxRenderer())).run()
    assert result.audio is False
    with av.open(str(result.path)) as container:
        assert not container.streams.audio


def test_a_lossless_result_has_the_sources_own_samples(box_request: ShotRequest, workspace: Path) -> None:
    """Outside the drawn box, every Y'CbCr sample of an MKV result is the source's."""
    lossless = dataclasses.replace(box_request, quality=Quality.LOSSLESS)
    result = Shot.create(workspace, lossless, PACK, plugin=box_plugin(BoxRenderer())).run()
    assert result.path.name == "result.mkv"
    with av.open(str(result.path)) as made, av.open(str(box_request.video)) as source:
        context = made.streams.video[0].codec_context
        assert (context.name, int(context.colorspace), int(context.color_range)) == ("ffv1", 6, 1)
        pairs = list(zip(made.decode(video=0), source.decode(video=0), strict=True))
    assert len(pairs) == 30
    for n, (frame, own) in enumerate(pairs):
        for plane, drawn in zip(range(3), [(20, 120, 10, 90), (10, 60, 5, 45), (10, 60, 5, 45)], strict=True):
            top, bottom, left, right = drawn
            step = n if plane == 0 else n // 2
            samples, kept = (np.frombuffer(bytes(f.planes[plane]), np.uint8) for f in (frame, own))
            shape = frame.planes[plane].height, -1
            width = frame.planes[plane].width
            outside = np.ones((shape[0], width), bool)
            outside[top:bottom, left + step : right + step + 1] = False
            assert np.array_equal(samples.reshape(shape)[:, :width][outside], kept.reshape(shape)[:, :width][outside])


@pytest.mark.parametrize(
    ("dynamic_range", "codec", "bits", "transfer"), [("source", "hevc", 10, HLG), ("sdr", "h264", 8, 1)]
)
def test_hdr_is_kept_or_converted(
    box_request: ShotRequest, tmp_path: Path, dynamic_range: str, codec: str, bits: int, transfer: int
) -> None:
    """The result of an HLG video is HLG with 10 bits, or BT.709 with 8 bits on request."""
    video = write_hdr(tmp_path / "hlg.mp4", HLG, frames=16)
    limits = MediaLimits(video_seconds_min=0.1)
    request = dataclasses.replace(box_request, video=video, limits=limits, dynamic_range=dynamic_range)
    made = probe_video(
        Shot.create(tmp_path / "shot", request, PACK, plugin=box_plugin(BoxRenderer())).run().path, limits
    )
    assert (made.codec, made.bit_depth, made.colour.transfer, made.frames) == (codec, bits, transfer, 16)


def test_two_runs_give_the_same_bytes(box_request: ShotRequest, tmp_path: Path) -> None:
    """Two runs of the same request give the same bytes."""
    files = [
        Shot.create(tmp_path / name, box_request, PACK, plugin=box_plugin(BoxRenderer())).run().path.read_bytes()
        for name in ("one", "two")
    ]
    assert files[0] == files[1]


def test_progress_only_grows_and_ends_at_one(box_request: ShotRequest, workspace: Path) -> None:
    """All stages report in order, with a fraction that never decreases, and with the segment while rendering."""
    heard: list[ShotProgress] = []
    Shot.create(workspace, box_request, PACK, heard.append, plugin=box_plugin(BoxRenderer())).run()
    fractions = [p.fraction for p in heard]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)
    assert list(dict.fromkeys(p.stage for p in heard)) == ["probe", "perceive", "prepare", "render", "mux"]
    assert {p.segment for p in heard if p.stage == "render"} == set(range(5))
    assert {p.segments for p in heard if p.stage == "render"} == {5}


@pytest.mark.parametrize("stage", ["probe", "perceive", "prepare", "render"])
def test_a_cancel_leaves_nothing_half_written(box_request: ShotRequest, workspace: Path, stage: str) -> None:
    """A listener that raises stops the shot in any stage; after a resume the result has the undisturbed bytes."""
    count = 0

    def stop(progress: ShotProgress) -> None:
        nonlocal count
        count += progress.stage == stage
        if count == (2 if stage != "render" else 11):
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        Shot.create(workspace, box_request, PACK, stop, plugin=box_plugin(BoxRenderer())).run()
    assert not list(workspace.rglob("*.part*"))
    resumed = Shot.create(workspace, box_request, PACK, plugin=box_plugin(BoxRenderer())).run().path.read_bytes()
    shutil.rmtree(workspace)
    assert (
        resumed == Shot.create(workspace, box_request, PACK, plugin=box_plugin(BoxRenderer())).run().path.read_bytes()
    )


def test_finished_segments_are_not_rendered_again(box_request: ShotRequest, workspace: Path) -> None:
    """A second shot in a finished workspace does no work; a deleted segment is the only one rendered again."""
    first = Shot.create(workspace, box_request, PACK, plugin=box_plugin(BoxRenderer())).run().path.read_bytes()
    renderer = BoxRenderer()
    assert Shot.create(workspace, box_request, PACK, plugin=box_plugin(renderer)).run().path.read_bytes() == first
    assert renderer.prepared == 0
    (workspace / "segments" / "segment-00002.nut").unlink()
    assert Shot.create(workspace, box_request, PACK, plugin=box_plugin(renderer)).run().path.read_bytes() == first
    assert (renderer.prepared, renderer.rendered) == (1, [2])


def test_another_request_or_other_contents_start_anew(box_request: ShotRequest, tmp_path: Path) -> None:
    """Artefacts of another request, or of a file that changed under the same name, are not used."""
    image, video = tmp_path / "image.png", tmp_path / "video.mp4"
    shutil.copy(box_request.image, image)
    shutil.copy(box_request.video, video)
    request = dataclasses.replace(box_request, image=image, video=video)
    workspace = tmp_path / "workspace"
    Shot.create(workspace, request, PACK, plugin=box_plugin(BoxRenderer())).run()
    Shot.create(workspace, dataclasses.replace(request, options={"seed": 1}), PACK)
    assert not (workspace / "segments").exists()
    Shot.create(workspace, request, PACK, plugin=box_plugin(BoxRenderer())).run()
    write_video(video, landscape(40), sound=True)
    assert Shot.create(workspace, request, PACK, plugin=box_plugin(BoxRenderer())).run().frames == 40


def test_a_renderer_that_loses_frames_leaves_no_segment(box_request: ShotRequest, workspace: Path) -> None:
    """A segment with too few frames raises an error and leaves no file."""
    shot = Shot.create(workspace, box_request, PACK, plugin=box_plugin(BoxRenderer(frames_lost=1)))
    shot.perceive()
    with pytest.raises(RuntimeError, match="6 frames instead of 7"):
        shot.render_segment(0)
    assert not list((workspace / "segments").iterdir())


def test_the_probe_names_the_input_that_is_wrong(box_request: ShotRequest, tmp_path: Path) -> None:
    """Bad inputs and unknown renderers are refused before any work."""
    small = write_image(tmp_path / "small.png", landscape(1, (10, 10))[0])
    text = tmp_path / "video.mp4"
    text.write_text("This is no video.")
    for change, message in (({"image": small}, "image"), ({"video": text}, "video")):
        shot = Shot.create(tmp_path / "w", dataclasses.replace(box_request, **change), PACK)
        with pytest.raises(MediaRejected, match=message):
            shot.probe()
    shot = Shot.create(tmp_path / "w", dataclasses.replace(box_request, renderer="oil"), PACK)
    with pytest.raises(RendererUnavailable, match="oil"):
        shot.probe()


def test_the_probe_refuses_a_picture_that_the_renderer_cannot_draw(box_request: ShotRequest, workspace: Path) -> None:
    """The renderer's own check runs in the probe, before anything is charged or perceived."""

    def refuse(pack: ModelPack, reference: Image, folder: Path) -> list[RenderWarning]:
        raise InputRejected("image: no head", field="image")

    plugin = dataclasses.replace(box_plugin(BoxRenderer()), check_reference=refuse)
    shot = Shot.create(workspace, box_request, PACK, plugin=plugin)

    with pytest.raises(InputRejected, match="image: no head"):
        shot.probe()


def test_warnings_about_the_inputs_come_before_the_renderers_own(box_request: ShotRequest, workspace: Path) -> None:
    """The result lists the warnings of the picture and track checks before those of the renderer."""
    said = [RenderWarning(code=code, message=code) for code in ("picture", "track")]
    plain = box_plugin(BoxRenderer())
    plugin = dataclasses.replace(plain, check_reference=lambda *_: said[:1], check_track=lambda _: said[1:])
    result = Shot.create(workspace, box_request, PACK, plugin=plugin).run()
    own = Shot.create(workspace.with_name("plain"), box_request, PACK, plugin=plain).run()

    assert [w["code"] for w in result.warnings] == ["picture", "track", *(w["code"] for w in own.warnings)]


def test_the_folder_alone_is_enough(box_request: ShotRequest, workspace: Path) -> None:
    """A shot can be opened from its workspace alone, as another process does."""
    Shot.create(workspace, box_request, PACK)
    assert Shot(workspace, PACK).request == box_request


def test_a_video_that_changes_meanwhile_ends_with_a_sentence(box_request: ShotRequest, tmp_path: Path) -> None:
    """Replacing the video while it is rendered gives one error that names field and file, and no result."""
    video = tmp_path / "mine.mp4"
    shutil.copy(box_request.video, video)

    def replace_video(progress: ShotProgress) -> None:
        if progress.stage == "render":
            write_video(video, landscape(12))

    request = dataclasses.replace(box_request, video=video)
    shot = Shot.create(tmp_path / "w", request, PACK, replace_video, plugin=box_plugin(BoxRenderer()))
    with pytest.raises(MediaRejected, match=r"^video: the file mine\.mp4 changed while"):
        shot.run(tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


def test_touching_a_video_does_no_harm(box_request: ShotRequest, tmp_path: Path) -> None:
    """A new time of change without new bytes is no error."""
    video = tmp_path / "mine.mp4"
    shutil.copy(box_request.video, video)

    def touch(progress: ShotProgress) -> None:
        if progress.stage == "render":
            video.touch()

    request = dataclasses.replace(box_request, video=video)
    assert Shot.create(tmp_path / "w", request, PACK, touch, plugin=box_plugin(BoxRenderer())).run().frames == 30


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ({"video_frames_min": 31}, "has 30 frames; the renderer box needs 31"),
        ({"video_side_min": 241}, "is 320 × 240; the renderer box needs 241 pixels"),
    ],
)
def test_a_renderer_can_need_more_of_a_video(
    box_request: ShotRequest, workspace: Path, needs: dict[str, int], said: str
) -> None:
    """A video below the renderer's own minimum is refused in the probe, with the remedy."""
    plugin = dataclasses.replace(box_plugin(BoxRenderer()), **needs)
    with pytest.raises(MediaRejected, match=said):
        Shot.create(workspace, box_request, PACK, plugin=plugin).probe()


def test_what_the_result_lacks_is_a_warning(box_request: ShotRequest, tmp_path: Path) -> None:
    """Warnings about the driving video precede the renderer's; those about sound are absent without sound."""
    video = write_clip(tmp_path / "a.mkv", numbered(8), sound="pcm_s16le")
    for keep_audio, codes in ((True, ["audio_converted", "box"]), (False, ["box"])):
        request = dataclasses.replace(box_request, video=video, keep_audio=keep_audio)
        result = Shot.create(tmp_path / f"{keep_audio}", request, PACK, plugin=box_plugin(BoxRenderer())).run()
        assert [w["code"] for w in result.warnings] == codes


def test_people_on_their_heads_are_a_warning(
    box_request: ShotRequest, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upside-down video gets a warning that names the remedy."""
    monkeypatch.setattr("bodydouble.shot.shot.is_upside_down", lambda *_: True)
    result = Shot.create(workspace, box_request, PACK, plugin=box_plugin(BoxRenderer())).run()
    assert result.warnings[0]["code"] == "video_upside_down"
    assert "turn the video" in result.warnings[0]["message"]
