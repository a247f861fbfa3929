"""Chooses what is loaded and how, from the operator's options and the GPU."""

from dataclasses import dataclass, replace

from bodydouble.renderers.wan.cards import Card
from bodydouble.renderers.wan.compiler import compile_obstacle
from bodydouble.renderers.wan.memory import Footprint, needed_bytes
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.tasks.errors import RendererUnavailable

USABLE_SHARE = 0.94
"""Share of a card's memory that a setup may need: the display, other programs and rounding take the rest."""
AREAS_SMALLER = (832 * 480, 640 * 368)
"""Pixels that a card works on where `wan_area_max` does not fit; the second one is what 8 GB hold."""
DISTILLED_STEPS, DISTILLED_SHIFT, DISTILLED_GUIDANCE = 4, 5.0, 1.0
"""LightX2V's published recipe for this model and a step-distillation LoRA (configs/wan22/wan_animate_lora.json)."""
CAPABILITY_MIN = (8, 0)
"""Ampere: the first that computes in bfloat16."""
FP8_CAPABILITY_MIN = (8, 9)
"""Ada: the first with FP8 tensor cores."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A trade of exactness for memory and speed."""

    name: str
    steps_max: int
    quantised: bool  # weights and activations of 8 bits where the card computes with them
    vae_bytes: int
    distilled: bool  # needs the distillation LoRA
    approximate_attention: bool  # SageAttention where it is installed: 8-bit scores


PROFILES = {
    p.name: p
    for p in (
        Profile(
            name="quality", steps_max=40, quantised=False, vae_bytes=4, distilled=False, approximate_attention=False
        ),
        Profile(
            name="balanced", steps_max=40, quantised=True, vae_bytes=2, distilled=False, approximate_attention=False
        ),
        Profile(
            name="fast",
            steps_max=DISTILLED_STEPS,
            quantised=True,
            vae_bytes=2,
            distilled=True,
            approximate_attention=True,
        ),
    )
}


@dataclass(frozen=True, kw_only=True)
class Setup:
    """The networks to load, and the form of each."""

    profile: Profile
    device: str
    precision: str  # bfloat16 or float32, of everything but the autoencoder
    quantisation: str  # none, fp8, int8, fp8-weights, int8-weights
    offload: str  # none, encoders, blocks
    attention: str
    compile: bool
    vae_bytes: int
    tiled: bool
    area_max: int
    needed_bytes: int  # computed; 0 on a CPU


def usable_cards(options: WanSettings, cards: list[Card]) -> list[Card]:
    """Those of ``cards`` that can draw as ``options`` say."""
    return [card for card in cards if _fits(options, card)]


def _fits(options: WanSettings, card: Card) -> bool:
    try:
        choose_setup(options, [card])
    except RendererUnavailable:
        return False
    return True


def choose_setup(options: WanSettings, cards: list[Card]) -> Setup:
    """For the first of ``cards`` that can draw; smaller where ``options.smaller_setups`` asks for it.

    Raises:
        RendererUnavailable: none can; what the first of them would need.
    """
    setup = _best_setup(options, cards)
    for _ in range(options.smaller_setups):
        setup = next_smaller(options, cards, setup) or setup
    return setup


def _best_setup(options: WanSettings, cards: list[Card]) -> Setup:
    if options.device == "cpu":
        return _on_cpu(options)
    if not cards:
        raise RendererUnavailable("renderer: wan needs an NVIDIA GPU, and there is none here.", field="renderer")
    refusals: list[RendererUnavailable] = []
    for card in cards:
        try:
            return _on_card(options, card)
        except RendererUnavailable as refusal:
            refusals.append(refusal)
    raise refusals[0]


def next_smaller(options: WanSettings, cards: list[Card], current: Setup) -> Setup | None:
    """The best setup that needs less memory than ``current`` and works on the same area; None where there is none.

    For a process that ran out of memory: computed figures cannot foresee what else is on the card. The area stays, for
    segments that are rendered already have it.
    """
    if options.device == "cpu":
        return None if current.tiled else replace(current, tiled=True)
    for card in cards:
        if _fits(options, card):
            smaller = [
                setup
                for setup in _candidates(options, card)
                if setup.area_max == current.area_max and setup.needed_bytes < current.needed_bytes
            ]
            return smaller[0] if smaller else None
    return None


def _on_card(options: WanSettings, card: Card) -> Setup:
    """The best profile that the card's memory holds at the full area, else at a smaller one.

    Raises RendererUnavailable.
    """
    if card.capability < CAPABILITY_MIN:
        raise RendererUnavailable(
            f"renderer: wan computes in bfloat16, which NVIDIA GPUs do from Ampere on; {card.name} is older.",
            field="renderer",
        )
    if options.quantisation == "fp8" and card.capability < FP8_CAPABILITY_MIN:
        raise RendererUnavailable(
            f"wan_quantisation: NVIDIA GPUs multiply in fp8 from Ada on; {card.name} is older. Set it to auto, or to "
            "fp8-weights, which saves memory alone.",
            field="renderer",
        )
    candidates = _candidates(options, card)
    usable = card.memory_bytes * USABLE_SHARE
    for setup in candidates:
        if setup.needed_bytes <= usable:
            return setup
    least = min(candidates, key=lambda s: s.needed_bytes)
    raise RendererUnavailable(
        f"renderer: wan needs {least.needed_bytes / 1e9:.0f} GB of GPU memory with these settings, and {card.name} has "
        f"{card.memory_bytes / 1e9:.0f} GB. Set wan_profile and wan_offload to auto, or wan_area_max lower.",
        field="renderer",
    )


def _candidates(options: WanSettings, card: Card) -> list[Setup]:
    """Every setup that the operator's choices allow, best first."""
    names = ["quality", "balanced"] if options.profile == "auto" else [options.profile]
    offloads = ["none", "encoders", "blocks"] if options.offload == "auto" else [options.offload]
    return [
        _setup(options, card, PROFILES[name], offload, tiled, min(area, options.area_max))
        for area in (options.area_max, *AREAS_SMALLER)
        for slow in (False, True)  # copying blocks at every step: only where nothing else fits
        for name in names
        for offload in offloads
        if (offload == "blocks") is slow
        for tiled in (False, True)
    ]


def _setup(options: WanSettings, card: Card, profile: Profile, offload: str, tiled: bool, area: int) -> Setup:
    quantisation = options.quantisation
    if quantisation == "auto":
        quantisation = _native_quantisation(card) if profile.quantised else "none"
    footprint = Footprint(
        weight_bytes=2 if quantisation == "none" else 1,
        vae_bytes=profile.vae_bytes,
        offload=offload,
        tiled=tiled,
        compiled=options.compile and compile_obstacle() is None,
        step_cache=options.step_cache > 0,
    )
    return Setup(
        profile=profile,
        device="cuda",
        precision="bfloat16",
        quantisation=quantisation,
        offload=offload,
        attention=options.attention,
        compile=options.compile,
        vae_bytes=profile.vae_bytes,
        tiled=tiled,
        area_max=area,
        needed_bytes=needed_bytes(footprint, area, options.segment_frames),
    )


def _native_quantisation(card: Card) -> str:
    """8-bit arithmetic that the card has: FP8 from Ada on, INT8 before."""
    return "fp8" if card.capability >= FP8_CAPABILITY_MIN else "int8"


def _on_cpu(options: WanSettings) -> Setup:
    profile = PROFILES["quality" if options.profile == "auto" else options.profile]
    return Setup(
        profile=replace(profile, vae_bytes=4),
        device="cpu",
        precision="float32",
        quantisation="none" if options.quantisation == "auto" else options.quantisation,
        offload="none" if options.offload == "auto" else options.offload,
        attention="native" if options.attention == "auto" else options.attention,
        compile=False,
        vae_bytes=4,
        tiled=False,
        area_max=options.area_max,
        needed_bytes=0,
    )
