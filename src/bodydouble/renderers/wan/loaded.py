"""The networks in this process."""

from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pictures

from bodydouble.renderers.wan.cards import find_cards
from bodydouble.renderers.wan.components import Components
from bodydouble.renderers.wan.engine import Casting, LoadReport, StepReport, Take
from bodydouble.renderers.wan.latents import to_frames, to_pixels
from bodydouble.renderers.wan.loading import load_components
from bodydouble.renderers.wan.sampling import segment_noise
from bodydouble.renderers.wan.segment import EncodedCharacter, encode_character, generate_segment
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.renderers.wan.setup import choose_setup
from bodydouble.renderers.wan.shards import Ranks
from bodydouble.renderers.wan.weights import locate_weights


class LoadedEngine:
    """Satisfies ``engine.Engine``. The networks are loaded when they are first asked for, and stay."""

    def __init__(self, options: WanSettings, ranks: Ranks | None = None) -> None:
        """``ranks``: this process is one of several that draw together, each asked for the same in the same order."""
        self._options, self._ranks = options, ranks
        self._components: Components | None = None
        self._casting: Casting | None = None
        self._role: EncodedCharacter | None = None
        self._turn = Lock()

    def load(self, report: LoadReport) -> int:
        """See ``engine.Engine``."""
        with self._turn:
            if self._components is None:
                setup = choose_setup(self._options, find_cards())
                self._components = load_components(locate_weights(self._options), setup, report, self._ranks)
            return int(self._components.transformer.config["motion_encoder_size"])

    def cast(self, casting: Casting) -> None:
        """See ``engine.Engine``."""
        assert self._components is not None, "load comes first"
        with self._turn:
            self._casting, self._role = casting, None  # the character before makes room
            self._role = encode_character(
                self._components,
                Pictures.fromarray(casting.picture),
                casting.prompt,
                casting.negative_prompt,
                casting.height,
                casting.width,
                casting.sampling,
            )

    def generate(self, take: Take, report: StepReport) -> NDArray[np.uint8]:
        """See ``engine.Engine``."""
        with self._turn:
            components, casting, role = self._components, self._casting, self._role
            assert components is not None
            assert casting is not None
            assert role is not None, "cast comes first"
            carried = None if take.carried is None else to_pixels(take.carried, components.device)
            noise = segment_noise(take.seed, take.index, len(take.video.pose), casting.height, casting.width)
            return to_frames(generate_segment(components, role, take.video, carried, noise, casting.sampling, report))

    def rest(self) -> None:
        """The job is over: forget its character, and leave to others whatever memory is not the networks'."""
        self._casting = self._role = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
