"""Windows of perceived frames on disk: each file complete or absent, with all that the next window starts from."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Matte
from bodydouble.perception.cuts import FrameSignature
from bodydouble.perception.face_and_hands import FaceHandsState
from bodydouble.perception.forward_pass import ForwardState
from bodydouble.perception.geometry import Roi
from bodydouble.perception.landmarks import BodyLandmarks
from bodydouble.perception.matte import BoxedMatte, MatteState
from bodydouble.perception.rivals import RivalState
from bodydouble.perception.track import PersonTrack, concatenate
from bodydouble.perception.tracking import BodyState
from bodydouble.tasks.atomic_files import atomic_file
from bodydouble.tasks.digests import publish_with_digest

BODY_ARRAYS = ("points", "depth", "visibility", "segmentation", "matrix")
HIDDEN_LEGS_FIELDS = ("legs_seen", "hidden_since", "search_due", "search_wait")
DEFLATE_LEVEL = 1
"""Mattes are flat: higher levels save little and cost much."""


@dataclass(kw_only=True)
class WindowState:
    """Everything that tracking carries across a window's end."""

    body: BodyState
    face_hands: FaceHandsState
    matte: MatteState
    forward: ForwardState
    signature: FrameSignature | None = None  # of the last frame


@dataclass(frozen=True, kw_only=True)
class PackedMattes:
    """Mattes of consecutive frames, deflated; ``sizes`` is 0 where nobody is present."""

    boxes: NDArray[np.int32]  # (F, 4) x0, y0, x1, y1
    shapes: NDArray[np.int32]  # (F, 2) rows and columns of the pixels
    sizes: NDArray[np.int64]  # (F,) bytes
    data: NDArray[np.uint8]


def pack_mattes(mattes: list[BoxedMatte | None]) -> PackedMattes:
    """The mattes without loss, about 3 kB each at 480p."""
    boxes, shapes = np.zeros((len(mattes), 4), np.int32), np.zeros((len(mattes), 2), np.int32)
    blobs = [b"" if m is None else zlib.compress(m.pixels.tobytes(), DEFLATE_LEVEL) for m in mattes]
    for i, matte in enumerate(mattes):
        if matte is not None:
            boxes[i], shapes[i] = matte.box, matte.pixels.shape
    sizes = np.array([len(b) for b in blobs], np.int64)
    return PackedMattes(boxes=boxes, shapes=shapes, sizes=sizes, data=np.frombuffer(b"".join(blobs), np.uint8))


def unpack_mattes(packed: PackedMattes, width: int, height: int, wanted: range) -> Iterator[Matte]:
    """The mattes of the frames ``wanted`` (indices within the window)."""
    ends = np.cumsum(packed.sizes)
    for i in wanted:
        if not packed.sizes[i]:
            yield np.zeros((height, width), np.uint8)
            continue
        blob = packed.data[ends[i] - packed.sizes[i] : ends[i]]
        pixels = np.frombuffer(zlib.decompress(blob.tobytes()), np.uint8).reshape(packed.shapes[i])
        x0, y0, x1, y1 = packed.boxes[i].tolist()
        yield BoxedMatte(box=(x0, y0, x1, y1), pixels=pixels).spread(width, height)


def window_path(folder: Path, index: int) -> Path:
    """The file of one window."""
    return folder / f"window-{index:05d}.npz"


def save_window(folder: Path, index: int, track: PersonTrack, mattes: PackedMattes, state: WindowState) -> None:
    """Write one window's file atomically, with its digest."""
    arrays: dict[str, Any] = {f"track.{f.name}": getattr(track, f.name) for f in fields(PersonTrack)}
    arrays |= {f"matte.{f.name}": getattr(mattes, f.name) for f in fields(PackedMattes)}
    arrays |= _state_arrays(state)
    with atomic_file(window_path(folder, index), publish_with_digest) as part, part.open("wb") as stream:
        np.savez(stream, **arrays)


def load_state(folder: Path, index: int) -> WindowState:
    """The state at the end of a finished window."""
    with np.load(window_path(folder, index)) as data:
        return _state_from(data)


def load_mattes(folder: Path, index: int) -> PackedMattes:
    """The mattes of a finished window, still packed."""
    with np.load(window_path(folder, index)) as data:
        return PackedMattes(**{f.name: data[f"matte.{f.name}"] for f in fields(PackedMattes)})


def load_track(folder: Path, windows: int) -> PersonTrack:
    """The unsmoothed track of all windows."""
    parts: list[PersonTrack] = []
    for index in range(windows):
        with np.load(window_path(folder, index)) as data:
            parts.append(PersonTrack(**{f.name: data[f"track.{f.name}"] for f in fields(PersonTrack)}))
    return concatenate(parts)


def _state_arrays(state: WindowState) -> dict[str, Any]:
    plain = {
        "roi": asdict(state.body.roi) if state.body.roi else None,
        "last_roi": asdict(state.body.last_roi) if state.body.last_roi else None,
        "lost_frames": state.body.lost_frames,
        "frames_seen": state.body.frames_seen,
        "started": state.body.started,
        "face": asdict(state.face_hands.face) if state.face_hands.face else None,
        "hands": [asdict(h) if h else None for h in state.face_hands.hands],
        "face_lost": state.face_hands.face_lost,
        "hands_lost": state.face_hands.hands_lost,
        "matte_lost": state.matte.lost_frames,
        "mirror_idle": state.matte.mirror_idle,
        "shot": state.forward.shot,
        "even_blocks": state.forward.even_blocks,
        "hidden_legs": {name: getattr(state.forward, name) for name in HIDDEN_LEGS_FIELDS},
        "recent": [_plain_body(body) for body in state.forward.recent],
    }
    arrays: dict[str, Any] = {"state.plain": np.array(json.dumps(plain))}
    optional = {
        "state.appearance": state.body.appearance,
        "state.scene": state.body.scene,
        "state.bystanders": state.body.bystanders,
        "state.others": state.body.others,
        "state.rivals": state.matte.rivals.regions,
        "state.rival_seeds": state.matte.rivals.seeds,
        "state.grey": state.matte.grey,
        "state.matte": state.matte.matte,
        "state.picture": state.matte.picture,
        "state.thumbnail": state.signature.thumbnail if state.signature else None,
        "state.histogram": state.signature.histogram if state.signature else None,
    }
    for k, body in enumerate(state.forward.recent):
        optional |= {f"state.recent{k}.{name}": getattr(body, name) for name in BODY_ARRAYS if body is not None}
    return arrays | {k: v for k, v in optional.items() if v is not None}


def _plain_body(body: BodyLandmarks | None) -> dict[str, Any] | None:
    """The fields of a body that are not arrays."""
    return None if body is None else {"score": body.score, "next_roi": asdict(body.next_roi)}


def _state_from(data: Any) -> WindowState:
    plain = json.loads(str(data["state.plain"]))

    def array(name: str) -> Any:
        return data.get(f"state.{name}")

    def roi(value: dict[str, float] | None) -> Roi | None:
        return Roi(**value) if value else None

    def body(k: int, value: dict[str, Any] | None) -> BodyLandmarks | None:
        if value is None:
            return None
        arrays = {name: array(f"recent{k}.{name}") for name in BODY_ARRAYS}
        return BodyLandmarks(**arrays, score=value["score"], next_roi=Roi(**value["next_roi"]))

    thumbnail = array("thumbnail")
    return WindowState(
        body=BodyState(
            roi=roi(plain["roi"]),
            last_roi=roi(plain.get("last_roi")),
            appearance=array("appearance"),
            scene=array("scene"),
            lost_frames=plain["lost_frames"],
            frames_seen=plain["frames_seen"],
            bystanders=array("bystanders"),
            others=array("others"),
            started=plain["started"],
        ),
        face_hands=FaceHandsState(
            face=roi(plain["face"]),
            hands=[roi(h) for h in plain["hands"]],
            face_lost=plain["face_lost"],
            hands_lost=plain["hands_lost"],
        ),
        matte=MatteState(
            grey=array("grey"),
            matte=array("matte"),
            picture=array("picture"),
            lost_frames=plain["matte_lost"],
            mirror_idle=plain["mirror_idle"],
            rivals=RivalState(regions=array("rivals"), seeds=array("rival_seeds")),
        ),
        forward=ForwardState(
            recent=[body(k, value) for k, value in enumerate(plain["recent"])],
            even_blocks=plain["even_blocks"],
            shot=plain["shot"],
            **plain["hidden_legs"],
        ),
        signature=None if thumbnail is None else FrameSignature(thumbnail=thumbnail, histogram=array("histogram")),
    )
