"""The networks in this process."""

import gc
import logging
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pictures
from torch._dynamo.exc import TorchDynamoException

from bodydouble.renderers.wan.cards import find_cards
from bodydouble.renderers.wan.components import Components
from bodydouble.renderers.wan.engine import CharacterSpec, LoadReport, SegmentRequest, StepReport
from bodydouble.renderers.wan.faults import ran_out_of_memory
from bodydouble.renderers.wan.latents import to_frames, to_pixels
from bodydouble.renderers.wan.loading import load_components
from bodydouble.renderers.wan.ranks import same_numbers
from bodydouble.renderers.wan.sampling import segment_noise
from bodydouble.renderers.wan.segment import EncodedCharacter, encode_character, generate_segment
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.renderers.wan.setup import Setup, choose_setup, next_smaller
from bodydouble.renderers.wan.shards import Ranks
from bodydouble.renderers.wan.step_cache import StepCache
from bodydouble.renderers.wan.step_curves import CurveKey, StepCurves, plan_reuse
from bodydouble.renderers.wan.weights import locate_weights, weights_folder

_log = logging.getLogger(__name__)
T = TypeVar("T")


class LoadedEngine:
    """Satisfies ``engine.Engine``. The networks are loaded at the first request, and stay loaded.

    Two faults do not end a job. Out of memory, the networks are loaded again as the next smaller setup says, and the
    work is repeated; the smaller setup stays. Where the blocks cannot be compiled, they run without.
    """

    def __init__(self, settings: WanSettings, ranks: Ranks | None = None) -> None:
        """``ranks``: this process is one of several that render together, all with the same requests in one order."""
        self._settings, self._ranks = settings, ranks
        self._setup: Setup | None = None
        self._components: Components | None = None
        self._spec: CharacterSpec | None = None
        self._character: EncodedCharacter | None = None
        self._curves = StepCurves(weights_folder(settings) / "step-cache")
        self._turn = Lock()

    def load(self, report: LoadReport) -> int:
        """See ``engine.Engine``."""
        with self._turn:
            return self._within_memory(lambda: int(self._loaded(report).transformer.config["motion_encoder_size"]))

    def set_character(self, spec: CharacterSpec) -> None:
        """See ``engine.Engine``."""
        assert self._components is not None, "load comes first"
        with self._turn:
            self._spec, self._character = spec, None  # the character before makes room
            self._within_memory(self._encoded)

    def generate(self, request: SegmentRequest, report: StepReport) -> NDArray[np.uint8]:
        """See ``engine.Engine``."""
        with self._turn:
            assert self._spec is not None, "set_character comes first"
            return self._within_memory(lambda: self._generated(request, report))

    def rest(self) -> None:
        """End the job: forget its character, and release all memory except that of the networks."""
        self._spec = self._character = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _loaded(self, report: LoadReport) -> Components:
        if self._components is None:
            self._setup = self._setup or choose_setup(self._settings, find_cards())
            self._components = load_components(locate_weights(self._settings), self._setup, report, self._ranks)
        return self._components

    def _encoded(self) -> EncodedCharacter:
        spec = self._spec
        assert spec is not None
        if self._character is None:
            self._character = encode_character(
                self._loaded(lambda fraction: None),
                Pictures.fromarray(spec.picture),
                spec.prompt,
                spec.negative_prompt,
                spec.height,
                spec.width,
                spec.sampling,
            )
        return self._character

    def _generated(self, request: SegmentRequest, report: StepReport) -> NDArray[np.uint8]:
        components, character, spec = self._loaded(lambda fraction: None), self._encoded(), self._spec
        assert spec is not None
        carried = None if request.carried is None else to_pixels(request.carried, components.device)
        noise = segment_noise(request.seed, request.index, len(request.video.pose), spec.height, spec.width)
        key = self._curve_key(spec)
        cache = None if key is None else StepCache(self._reuse_plan(key), self._ranks)
        made = generate_segment(components, character, request.video, carried, noise, spec.sampling, report, cache)
        if key is not None and cache is not None and cache.measured is not None:
            self._keep_curve(key, cache.measured)
        return to_frames(made)

    def _curve_key(self, spec: CharacterSpec) -> CurveKey | None:
        """None if every step is computed: the distilled model has too few of them."""
        assert self._setup is not None, "it is chosen with the networks"
        profile, sampling = self._setup.profile, spec.sampling
        if self._settings.step_cache == 0 or profile.distilled:
            return None
        return CurveKey(profile=profile.name, steps=sampling.steps, shift=sampling.shift, guided=sampling.guidance > 1)

    def _reuse_plan(self, key: CurveKey) -> list[bool] | None:
        """None where the curve has to be measured. Rank 0's curve counts for all ranks."""
        ratios = self._curves.find(key)
        if self._ranks is not None:
            ratios = same_numbers(ratios or []) or None
        return None if ratios is None else plan_reuse(ratios, self._settings.step_cache)

    def _keep_curve(self, key: CurveKey, ratios: list[float]) -> None:
        if self._ranks is None or self._ranks.rank == 0:
            self._curves.store(key, ratios)

    def _within_memory(self, compute: Callable[[], T]) -> T:
        """The value of ``compute``, if necessary with a smaller setup or without compiled blocks."""
        while True:
            try:
                return compute()
            except (RuntimeError, MemoryError) as error:
                if not ran_out_of_memory(error):
                    self._continue_uncompiled(error)
                    continue
                if not (smaller := self._smaller_setup()):
                    raise
                reason = str(error).partition(". ")[0]
            # Here and not above: until its handler ends, the error holds on to the tensors of the frames that it left.
            _log.warning(
                "out of memory (%s); going on with offload %s, quantisation %s, tiled autoencoder %s",
                reason,
                smaller.offload,
                smaller.quantisation,
                smaller.tiled,
            )
            self._setup, self._components, self._character = smaller, None, None
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _continue_uncompiled(self, error: Exception) -> None:
        """Have the blocks run uncompiled from now on. Raises ``error`` if the compiler is not its cause."""
        if not isinstance(error, TorchDynamoException) or self._components is None or self._setup is None:
            raise error
        if not self._components.run_uncompiled():
            raise error
        self._setup = replace(self._setup, compile=False)  # also where a smaller setup follows
        _log.warning("blocks run uncompiled, which is slower: %s", str(error).partition("\n")[0])

    def _smaller_setup(self) -> Setup | None:
        """None if nothing smaller is left, or if there are other ranks: they may be waiting in a collective operation.

        With several ranks the processes end instead, and the next ones get ``WanSettings.smaller_setups``.
        """
        if self._setup is None or self._ranks is not None:
            return None
        smaller = next_smaller(self._settings, find_cards(), self._setup)
        return None if smaller is None else replace(smaller, compile=self._setup.compile)
