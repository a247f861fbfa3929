"""The reference image at working size, and the person in it: analysed once a shot."""

from dataclasses import fields
from pathlib import Path

import numpy as np

from bodydouble.perception import ModelPack, Portrait, analyse_portrait
from bodydouble.perception.arrays import Image
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.picture.bars import without_bars
from bodydouble.renderers.puppet.picture.cutout import resized
from bodydouble.tasks.atomic_files import atomic_file

REFERENCE_SIDE_MAX = 1600
"""Longer side in pixels to which a reference is reduced at once: a face on screen is never larger."""
PORTRAIT_NAME = "portrait.npz"


def analysed_reference(pack: ModelPack, reference: Image, folder: Path) -> tuple[Image, Portrait]:
    """``reference`` (H, W, 3) RGB at working size without bars, and its largest person.

    The analysis is kept in ``folder``.

    Raises:
        NobodyFound: nobody in the reference image.
    """
    image = without_bars(resized(reference, min(1.0, REFERENCE_SIDE_MAX / max(reference.shape[:2]))))
    path = folder / PORTRAIT_NAME
    if not path.is_file():
        made = analyse_portrait(pack, image)
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as part, part.open("wb") as file:
            # Levels take a tenth of the size, and are as fine as the network.
            mask, agreed = (np.round(masks * 255).astype(np.uint8) for masks in (made.mask, made.agreed))
            np.savez_compressed(file, mask=mask, agreed=agreed, **vars(made.track))
    with np.load(path) as stored:
        track = PersonTrack(**{f.name: stored[f.name] for f in fields(PersonTrack)})
        mask, agreed = (stored[name].astype(np.float32) / np.float32(255) for name in ("mask", "agreed"))
        return image, Portrait(track=track, mask=mask, agreed=agreed)
