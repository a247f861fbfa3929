"""Perception of a whole video: windows of frames through the networks, several at a time.

One thread tracks the body through window k + 1 while others find face and hands, make the mattes and measure the
uneven frames of window k. A window that ends without the person waits: a person found in window k + 1 is tracked
backward into it. Memory holds at most five windows of frames, whatever the length of the video.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Boxes, Image
from bodydouble.perception.cuts import FrameSignature, frame_signature, is_cut
from bodydouble.perception.face_and_hands import FaceHandsState, FaceHandsTracker
from bodydouble.perception.footage import Footage
from bodydouble.perception.forward_pass import ForwardPass, ForwardState
from bodydouble.perception.interpolation import bridged
from bodydouble.perception.landmarks import BODY_KEPT_MIN, BodyLandmarks
from bodydouble.perception.matte import BoxedMatte
from bodydouble.perception.networks import Networks, PackNetworks
from bodydouble.perception.pack import ModelPack
from bodydouble.perception.people import body_box
from bodydouble.perception.person_landmarks import PersonLandmarks, person_box, write_track_row
from bodydouble.perception.rivals import taken_forearms, without_arms
from bodydouble.perception.smoothing import smooth_track
from bodydouble.perception.stored import StoredMattes
from bodydouble.perception.suitability import people_only
from bodydouble.perception.track import BYSTANDERS_MAX, NEIGHBOURS_MAX, PersonChoice, PersonTrack, empty_track
from bodydouble.perception.tracking import BodyState, BodyTracker, torso_length
from bodydouble.perception.windows import (
    WindowState,
    load_state,
    load_track,
    pack_mattes,
    save_window,
    window_path,
)
from bodydouble.tasks.atomic_files import atomic_write
from bodydouble.tasks.errors import NobodyFound

WINDOW_FRAMES = 32
"""Frames that one stage handles at once: the unit in which perception is saved and resumed."""
WINDOW_FORMAT = 7
"""Version of the window files: windows of another version are removed, not continued."""
MATTE_SHARE_MIN = 0.12
"""Share of the body's box that its matte covers, below which the landmark network saw a person where there is none."""
FEW_UNEVEN = 2
"""Uneven frames of a window that the tracking thread measures itself. More of them get a thread of their own, which has
to load the body network once more: 50 ms and 70 MB."""
TRACKING_LEAD = 0.5
"""Windows by which finished frames lag behind tracked ones, in the progress report."""

Report = Callable[[float], None]


@dataclass(kw_only=True)
class _Window:
    """Frames on their way through the networks."""

    index: int
    images: list[Image]
    bodies: list[BodyLandmarks | None]
    uneven: list[int]  # to be measured, by index
    measured: dict[int, BodyLandmarks]  # those that are
    bystanders: list[Boxes]
    others: list[NDArray[np.float64]]
    shots: list[int]
    body_state: BodyState
    forward_state: ForwardState
    signature: FrameSignature


@dataclass(frozen=True, kw_only=True)
class Perception:
    """The smoothed track over all frames of a video, and the mattes."""

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
    """Track the chosen person through ``footage``. Finished windows are kept in ``folder`` and reused.

    ``report`` is told the fraction 0-1 and may raise to stop. ``networks`` (default: those of ``pack``) find people,
    bodies and mattes; faces always come from ``pack``.

    Raises:
        NobodyFound: the video shows no person, or not the chosen one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    networks = networks or PackNetworks(pack)
    _remove_foreign_windows(folder, networks.name)
    windows = -(-footage.frames // WINDOW_FRAMES)
    done = next((k for k in range(windows) if not window_path(folder, k).exists()), windows)
    if done < windows:
        _Perceiver(pack, networks, footage, choice, folder, report).run(done, windows)
    shape = {"windows": windows, "width": footage.width, "height": footage.height, "rate": footage.frame_rate}
    atomic_write(folder / "perception.json", json.dumps(shape))
    perception = load_perception(folder)
    if not perception.track.present.any():
        raise NobodyFound(
            "video: no person was found, so nobody can be replaced. Use a video in which a person is at least about "
            "60 pixels tall and neither very near nor mostly hidden. Hands alone are not enough.",
            field="video",
        )
    return perception


def _remove_foreign_windows(folder: Path, networks: str) -> None:
    """Remove windows made by other networks or another version: theirs cannot be continued."""
    mark = folder / "networks.txt"
    maker = f"{networks}, format {WINDOW_FORMAT}"
    if mark.exists() and mark.read_text() != maker:
        for window in folder.glob("window-*"):
            window.unlink()
    atomic_write(mark, maker)


def load_perception(folder: Path) -> Perception:
    """A finished perception from its folder."""
    meta = json.loads((folder / "perception.json").read_text())
    raw = load_track(folder, meta["windows"])
    mattes = StoredMattes(folder, width=meta["width"], height=meta["height"], window_frames=WINDOW_FRAMES)
    return Perception(track=smooth_track(people_only(raw), meta["rate"]), mattes=mattes)


def _bridge(windows: list[_Window]) -> None:
    """Interpolate, in place, short gaps in the bodies of consecutive ``windows``."""
    bodies = [body for window in windows for body in window.bodies]
    shots = [shot for window in windows for shot in window.shots]
    places = [(window, i) for window in windows for i in range(len(window.bodies))]
    known = [i for i, body in enumerate(bodies) if body is not None]
    for a, b in itertools.pairwise(known):
        before, after = bodies[a], bodies[b]
        if b == a + 1 or shots[a] != shots[b] or before is None or after is None:
            continue
        for (window, i), body in zip(places[a + 1 : b], bridged(before, after, b - a - 1), strict=False):
            window.bodies[i] = body


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
        self._forward = ForwardPass(BodyTracker(finder, choice), size, interpolates=networks.interpolates)
        self._backward = BodyTracker(finder, choice)
        self._uneven_net, self._uneven_thread = networks.body(), ThreadPoolExecutor(1)
        self._face_hands = FaceHandsTracker(pack)
        self._mattes = networks.mattes()
        self._frames: Iterator[tuple[int, Image]] = iter(())
        self._signature: FrameSignature | None = None
        self._shot = 0

    def run(self, done: int, windows: int) -> None:
        if done:
            self._restore(load_state(self._folder, done - 1))
        self._frames = self._footage.read(done * WINDOW_FRAMES, self._footage.frames)
        waiting: _Window | None = None
        finishing: Future[None] | None = None
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as finisher, self._uneven_thread:
            ahead = reader.submit(self._read)
            try:
                for index in range(done, windows):
                    images = ahead.result()
                    if index + 1 < windows:
                        ahead = reader.submit(self._read)
                    window = self._follow(index, images)
                    if len(window.uneven) <= FEW_UNEVEN:
                        window.measured = {i: self._measure_uneven(window, i) for i in window.uneven}
                    self._follow_backward(window, waiting)
                    # A person in a window's last frame is not tracked back into it: the window is complete.
                    settled = window.bodies[-1] is not None or index + 1 == windows
                    for ready in ([waiting] if waiting else []) + ([window] if settled else []):
                        if finishing is not None:
                            finishing.result()
                        finishing = finisher.submit(self._finish, ready)
                    waiting = None if settled else window
                    self._report(max(0.0, (index - TRACKING_LEAD) / windows))
                if finishing is not None:
                    finishing.result()
            finally:
                ahead.cancel()
        self._report(1.0)

    def _restore(self, state: WindowState) -> None:
        self._forward.restore(state.body, state.forward)
        self._face_hands.state = state.face_hands
        self._mattes.restore(state.matte)
        self._signature, self._shot = state.signature, state.forward.shot

    def _read(self) -> list[Image]:
        """The next window's frames. One read goes through the whole video, so that no frame is decoded twice."""
        return [image for _, image in itertools.islice(self._frames, WINDOW_FRAMES)]

    def _follow(self, index: int, images: list[Image]) -> _Window:
        """The forward pass, and what it leaves for the next window."""
        shots = self._shots(images)
        forward = self._forward.follow(index * WINDOW_FRAMES, images, shots)
        body_state, forward_state = self._forward.saved()
        assert self._signature is not None
        return _Window(
            index=index,
            images=images,
            bodies=forward.bodies,
            uneven=forward.uneven,
            measured={},
            bystanders=forward.bystanders,
            others=forward.others,
            shots=shots,
            body_state=body_state,
            forward_state=forward_state,
            signature=self._signature,
        )

    def _shots(self, images: list[Image]) -> list[int]:
        """The number of the shot that each frame belongs to."""
        shots: list[int] = []
        for image in images:
            signature = frame_signature(image)
            self._shot += self._signature is not None and is_cut(self._signature, signature)
            self._signature = signature
            shots.append(self._shot)
        return shots

    def _follow_backward(self, window: _Window, before: _Window | None) -> None:
        """Where the person was found late, track them back to where they came from."""
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
                roi=later.next_roi,
                appearance=window.body_state.appearance,
                scene=window.body_state.scene,
                started=True,
                lost_frames=1,  # no search is due: where the backward pass loses the person, it ends
                frames_seen=1,
            )
            body = tracker.step(images[i])
            if body is None:
                continue
            bodies[i] = body
            if i >= offset:
                window.bodies[i - offset] = body
            elif before is not None:
                before.bodies[i] = body
        _bridge([w for w in (before, window) if w is not None])

    def _finish(self, window: _Window) -> None:
        """Face, hands and matte of each frame; then the window's file."""
        measured = {
            i: self._uneven_thread.submit(self._measure_uneven, window, i)
            for i in window.uneven
            if i not in window.measured
        }
        track = empty_track(len(window.images))
        mattes: list[BoxedMatte | None] = []
        shot_before = window.shots[0]
        for i, (image, shot) in enumerate(zip(window.images, window.shots, strict=True)):
            body = measured[i].result() if i in measured else window.measured.get(i, window.bodies[i])
            track.shot[i] = shot
            if shot != shot_before or body is None:
                self._reset()
            shot_before = shot
            matte = self._describe(track, i, image, body, window.others[i]) if body is not None else None
            others = window.bystanders[i][:BYSTANDERS_MAX]
            track.bystanders[i, : len(others)] = others
            mattes.append(matte)
        state = WindowState(
            body=window.body_state,
            face_hands=FaceHandsState(**vars(self._face_hands.state)),
            matte=self._mattes.saved(),
            signature=window.signature,
            forward=window.forward_state,
        )
        save_window(self._folder, window.index, track, pack_mattes(mattes), state)

    def _reset(self) -> None:
        """Nothing of the frames before may influence the next one."""
        self._face_hands.reset()
        self._mattes.reset()

    def _measure_uneven(self, window: _Window, i: int) -> BodyLandmarks:
        """An uneven frame's body: measured, or interpolated where the network sees nobody in it."""
        interpolated = window.bodies[i]
        assert interpolated is not None
        body = self._uneven_net.run(window.images[i], interpolated.next_roi)
        return body if body.score >= BODY_KEPT_MIN else interpolated

    def _describe(
        self, track: PersonTrack, i: int, image: Image, body: BodyLandmarks, others: NDArray[np.float64]
    ) -> BoxedMatte | None:
        """Fill row ``i`` of ``track``. Returns None and fills nothing where the body is a false detection."""
        height, width = image.shape[:2]
        face = self._face_hands.face(image, body)
        hands = self._face_hands.hands(image, body)
        person = PersonLandmarks(body=body, face=face, hands=(hands[0], hands[1]))
        matte = self._mattes.make(image, person, others)
        if matte.mean_within(person_box(person, width, height, pad=0.0)) < 255 * MATTE_SHARE_MIN:
            self._reset()
            return None
        neighbours = self._mattes.neighbours
        person = without_arms(person, taken_forearms(body, neighbours))
        write_track_row(track, i, person, width, height)
        for k, other in enumerate(neighbours[:NEIGHBOURS_MAX]):
            track.neighbours[i, k] = [*body_box(other, width, height), torso_length(other.points)]
        return matte
