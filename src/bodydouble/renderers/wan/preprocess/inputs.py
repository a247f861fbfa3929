"""The pictures of each frame that the segment loop encodes, streamed."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from bodydouble.perception.arrays import Image, MaskImage
from bodydouble.perception.footage import Footage, Mattes
from bodydouble.perception.skeleton import draw_skeleton
from bodydouble.perception.track import PersonTrack
from bodydouble.perception.whole_body import whole_body
from bodydouble.renderers.wan.preprocess.canvas import AREA_MAX, AREA_MIN, choose_canvas
from bodydouble.renderers.wan.preprocess.face_crop import crop_face, face_boxes
from bodydouble.renderers.wan.preprocess.mask import MaskGrid, generation_mask, masked_background


@dataclass(frozen=True, kw_only=True)
class PreprocessSettings:
    """Settings of the model's inputs."""

    grid: MaskGrid = field(default_factory=MaskGrid)
    area_max: int = AREA_MAX  # pixels of the canvas before padding
    area_min: int = AREA_MIN


@dataclass(frozen=True, kw_only=True)
class FrameInputs:
    """The model's inputs for one frame. H and W are those of the canvas."""

    pose: Image  # (H, W, 3)
    face: Image  # (512, 512, 3); all black: no expression given
    mask: MaskImage | None  # (H, W), 255 where the model paints, else 0; None: it paints everything
    background: Image | None  # (H, W, 3), the frame with black where the mask is 255; None: there is none to keep


class Preprocessor:
    """Makes the inputs of any frames of one video; holds no frame."""

    def __init__(
        self,
        footage: Footage,
        mattes: Mattes,
        track: PersonTrack,
        settings: PreprocessSettings = PreprocessSettings(),
    ) -> None:
        self._footage, self._mattes, self._track, self._settings = footage, mattes, track, settings
        self.canvas = choose_canvas(footage.width, footage.height, settings.area_max, settings.area_min)
        self._face_boxes = face_boxes(track, footage.width, footage.height)

    def read(self, start: int, stop: int) -> Iterator[FrameInputs]:
        """The inputs of the frames ``start`` to ``stop`` (exclusive), in order, one at a time."""
        frames, mattes = self._footage.read(start, stop), self._mattes.read(start, stop)
        for (i, image), (_, matte) in zip(frames, mattes, strict=True):
            body = whole_body(self._track, i, (self._footage.width, self._footage.height))
            placed = replace(body, points=self.canvas.place_points(body.points))
            # Placed first: the mask's margin is in pixels of the canvas, whatever the size of the video.
            mask = generation_mask(self.canvas.place_mask(matte), self._settings.grid)
            yield FrameInputs(
                pose=draw_skeleton(placed, self.canvas.width, self.canvas.height),
                face=crop_face(image, self._face_boxes[i]),
                mask=mask,
                background=masked_background(self.canvas.place(image), mask),
            )
