"""Perception of a whole video: windows of frames through the networks, several at a time.

While one thread follows the body through window k + 1, others find face and hands, make the mattes and measure the
uneven frames of window k, unless it ends with nobody in it: then it waits, because a person found in window k + 1 is
followed backward into it. Memory holds at most five windows of frames, whatever the length of the video.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bodydouble.perception.arrays import Image, Points
from bodydouble.perception.cuts import Look, is_cut, look_at
from bodydouble.perception.figure import Figure, figure_box, record_figure
from bodydouble.perception.following import Follower, FollowState
from bodydouble.perception.footage import Footage
from bodydouble.perception.landmarks import BodyLandmarks
from bodydouble.perception.matte import BoxedMatte
from bodydouble.perception.networks import Networks, PackNetworks
from bodydouble.perception.pack import ModelPack
from bodydouble.perception.parts import PartsState, PartsTracker
from bodydouble.perception.smoothing import smooth_track
from bodydouble.perception.stored import StoredMattes
from bodydouble.perception.track import BYSTANDERS_MAX, PersonChoice, PersonTrack, empty_track
from bodydouble.perception.tracking import KEEP_SCORE_MIN, BodyState, BodyTracker
from bodydouble.perception.windows import (
    State,
    load_state,
    load_track,
    pack_mattes,
    save_window,
    window_path,
)
from bodydouble.tasks.errors import NobodyFound

WINDOW_FRAMES = 32
Report = Callable[[float], None]

MATTE_SHARE_MIN = 0.12
"""A body whose own box is covered by its matte to less than this is a ghost of the landmark network."""


@dataclass(kw_only=True)
class _Window:
    """Frames on their way through the networks."""

    index: int
    images: list[Image]
    bodies: list[BodyLandmarks | None]
    uneven: list[int]  # measured in _finish: its threads have the time
    bystanders: list[Points]
    shots: list[int]
    body_state: BodyState
    follow_state: FollowState
    look: Look


@dataclass(frozen=True, kw_only=True)
class Perception:
    """What is known of a video: the smoothed track over all frames, and the mattes."""

    track: PersonTrack
    mattes: StoredMattes


def perceive(
    pack: ModelPack,
    footage: Footage,
    choice: PersonChoice,
    folder: Path,
    report: Report = lambda fraction: None,
    networks: Networks | None = None,
) -> Perception:
    """Follow the chosen person through ``footage``; windows are kept in ``folder`` and found there again.

    ``report`` is told the fraction 0-1 and may raise to stop. Without ``networks`` the pack's find people, bodies and
    mattes; faces are always the pack's.

    Raises:
        NobodyFound: nobody in the whole video, or not the person asked for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    networks = networks or PackNetworks(pack)
    _forget_others(folder, networks.name)
    windows = -(-footage.frames // WINDOW_FRAMES)
    done = next((k for k in range(windows) if not window_path(folder, k).exists()), windows)
    if done < windows:
        _Perceiver(pack, networks, footage, choice, folder, report).run(done, windows)
    (folder / "perception.json").write_text(
        json.dumps({"windows": windows, "width": footage.width, "height": footage.height, "rate": footage.frame_rate})
    )
    perception = load_perception(folder)
    if not perception.track.present.any():
        raise NobodyFound(
            "video: nobody was found in it, so there is nobody to replace. Use a video in which a person is at "
            "least about 60 pixels tall and not only seen from very near or behind something.",
            field="video",
        )
    return perception


def _forget_others(folder: Path, name: str) -> None:
    """Remove windows that other networks made: two kinds of bodies and mattes do not go on from each other."""
    mark = folder / "networks.txt"
    if mark.exists() and mark.read_text() != name:
        for window in folder.glob("window-*"):
            window.unlink()
    mark.write_text(name)


def load_perception(folder: Path) -> Perception:
    """A finished perception from its folder."""
    meta = json.loads((folder / "perception.json").read_text())
    raw = load_track(folder, meta["windows"])
    mattes = StoredMattes(folder, width=meta["width"], height=meta["height"], window=WINDOW_FRAMES)
    return Perception(track=smooth_track(raw, meta["rate"]), mattes=mattes)


class _Perceiver:
    def __init__(
        self,
        pack: ModelPack,
        networks: Networks,
        footage: Footage,
        choice: PersonChoice,
        folder: Path,
        report: Report,
    ) -> None:
        self._footage, self._folder, self._report = footage, folder, report
        finder, size = networks.people(), (footage.width, footage.height)
        self._forward = Follower(BodyTracker(finder, choice), size, foretells=networks.foretells)
        self._backward = BodyTracker(finder, choice)
        self._between, self._measurer = networks.body(), ThreadPoolExecutor(1)
        self._parts = PartsTracker(pack)
        self._mattes = networks.mattes()
        self._frames: Iterator[tuple[int, Image]] = iter(())
        self._look: Look | None = None
        self._shot = 0

    def run(self, done: int, windows: int) -> None:
        if done:
            state = load_state(self._folder, done - 1)
            self._forward.restore(state.body, state.follow)
            self._parts.state = state.parts
            self._mattes.restore(state.matte)
            self._look, self._shot = state.look, state.follow.shot
        self._frames = self._footage.read(done * WINDOW_FRAMES, self._footage.frames)
        waiting: _Window | None = None
        finishing: Future[None] | None = None
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as finisher, self._measurer:
            ahead = reader.submit(self._read)
            try:
                for index in range(done, windows):
                    images = ahead.result()
                    if index + 1 < windows:
                        ahead = reader.submit(self._read)
                    window = self._follow(index, images)
                    self._follow_backward(window, waiting)
                    # Who is in a window's last frame is not followed back into it: nothing more happens to it.
                    settled = window.bodies[-1] is not None or index + 1 == windows
                    for ready in ([waiting] if waiting else []) + ([window] if settled else []):
                        if finishing is not None:
                            finishing.result()
                        finishing = finisher.submit(self._finish, ready)
                    waiting = None if settled else window
                    self._report(max(0.0, (index - 0.5) / windows))
                if finishing is not None:
                    finishing.result()
            finally:
                ahead.cancel()
        self._report(1.0)

    def _read(self) -> list[Image]:
        """The next window's frames: one read goes through the whole video, so that nothing is decoded twice."""
        return [image for _, image in itertools.islice(self._frames, WINDOW_FRAMES)]

    def _follow(self, index: int, images: list[Image]) -> _Window:
        """The forward pass, and what it leaves for the next window."""
        shots = self._shots(images)
        followed = self._forward.follow(index * WINDOW_FRAMES, images, shots)
        body_state, follow_state = self._forward.saved()
        assert self._look is not None
        return _Window(
            index=index,
            images=images,
            bodies=followed.bodies,
            uneven=followed.uneven,
            bystanders=followed.bystanders,
            shots=shots,
            body_state=body_state,
            follow_state=follow_state,
            look=self._look,
        )

    def _shots(self, images: list[Image]) -> list[int]:
        """The shot that each frame belongs to."""
        shots: list[int] = []
        for image in images:
            look = look_at(image)
            self._shot += self._look is not None and is_cut(self._look, look)
            self._look = look
            shots.append(self._shot)
        return shots

    def _follow_backward(self, window: _Window, before: _Window | None) -> None:
        """Where the person was found late, follow them back to where they came from."""
        images = [*(before.images if before else []), *window.images]
        bodies = [*(before.bodies if before else []), *window.bodies]
        shots = [*(before.shots if before else []), *window.shots]
        offset = len(before.images) if before else 0
        tracker = self._backward
        for i in range(len(images) - 2, -1, -1):
            later = bodies[i + 1]
            if bodies[i] is not None or later is None or shots[i] != shots[i + 1]:
                continue
            tracker.state = BodyState(
                roi=later.next_roi, look=window.body_state.look, started=True, lost_frames=1, frames_seen=1
            )
            # lost_frames is 1, so that a lost backward pass does not search the whole frame again
            body = tracker.step(images[i])
            if body is None:
                continue
            bodies[i] = body
            if i >= offset:
                window.bodies[i - offset] = body
            elif before is not None:
                before.bodies[i] = body

    def _finish(self, window: _Window) -> None:
        """Face, hands and matte of each frame; then the window's file."""
        measured = {i: self._measurer.submit(self._measured, window, i) for i in window.uneven}
        track = empty_track(len(window.images))
        mattes: list[BoxedMatte | None] = []
        shot_before = window.shots[0]
        for i, (image, shot) in enumerate(zip(window.images, window.shots, strict=True)):
            body = measured[i].result() if i in measured else window.bodies[i]
            track.shot[i] = shot
            if shot != shot_before or body is None:
                self._parts.reset()
                self._mattes.reset()
            shot_before = shot
            matte = self._describe(track, i, image, body) if body is not None else None
            others = window.bystanders[i][:BYSTANDERS_MAX]
            track.bystanders[i, : len(others)] = others
            mattes.append(matte)
        state = State(
            body=window.body_state,
            parts=PartsState(**vars(self._parts.state)),
            matte=self._mattes.saved(),
            look=window.look,
            follow=window.follow_state,
        )
        save_window(self._folder, window.index, track, pack_mattes(mattes), state)

    def _measured(self, window: _Window, i: int) -> BodyLandmarks | None:
        """An uneven frame's body: measured, or foretold where the network sees nobody in it."""
        foretold = window.bodies[i]
        assert foretold is not None
        body = self._between.run(window.images[i], foretold.next_roi)
        return body if body.score >= KEEP_SCORE_MIN else foretold

    def _describe(self, track: PersonTrack, i: int, image: Image, body: BodyLandmarks) -> BoxedMatte | None:
        """Fill row ``i`` of ``track``; None (and nothing filled) where the body turns out to be a ghost."""
        height, width = image.shape[:2]
        face = self._parts.face(image, body)
        hands = self._parts.hands(image, body)
        figure = Figure(body=body, face=face, hands=(hands[0], hands[1]))
        matte = self._mattes.make(image, figure)
        x0, y0, x1, y1 = figure_box(figure, width, height, pad=0.0)
        if float(matte.spread(width, height)[y0:y1, x0:x1].mean()) < 255 * MATTE_SHARE_MIN:
            self._parts.reset()
            self._mattes.reset()
            return None
        record_figure(track, i, figure, width, height)
        return matte
