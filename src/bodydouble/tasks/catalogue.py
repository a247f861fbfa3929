"""The models on offer: limits, price and mode of each. One entry is one product."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, Decimal
from types import MappingProxyType

from bodydouble.tasks.errors import NotFound

RESOLUTIONS: Mapping[str, int] = MappingProxyType({"480P": 480, "580P": 580, "720P": 720})
"""Class name to the length of the output's short side in pixels. A smaller source is never enlarged."""

ESTIMATE_SECONDS = 5
"""Length that is reserved for a video that was not inspected yet."""


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """One entry of the catalogue."""

    name: str
    provider: str
    model_version: str
    title: str
    description: str
    operations: tuple[str, ...]
    modality: str = "video"
    model_type: str = "tools"
    quality_tier: str = "standard"
    speed_tier: str = "balanced"
    supports_reference: bool = True
    supports_native_audio: bool = False
    routing_priority: int = 50
    mode: str = "replace"  # replace: the person of the video; animate: the character moves in its own picture
    credits_per_second: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])

    def price(self, resolution: str, duration_seconds: float) -> Decimal:
        """Credits for ``duration_seconds`` of output, rounded up to a whole second, at least one.

        ``resolution`` is the class of the output: see ``produced_resolution``.
        """
        # Containers round durations: a tenth of a millisecond above a whole second is not a further second.
        whole = Decimal(str(round(duration_seconds, 3))).to_integral_value(ROUND_CEILING)
        return self.credits_per_second[resolution] * max(whole, Decimal(1))


WAN_2_2_ANIMATE_REPLACE = ModelSpec(
    name="wan/2-2-animate-replace",
    provider="Wan",
    model_version="2-2-animate-replace",
    title="Wan 2.2 Animate: replace",
    description=(
        "Replaces the person in a video by the character of a picture: "
        "motion, expression, scene, camera, light and sound are kept."
    ),
    operations=("animate-replace", "motion-control"),
    credits_per_second=MappingProxyType({"480P": Decimal(6), "580P": Decimal(9), "720P": Decimal("12.5")}),
)

WAN_2_2_ANIMATE_MOVE = ModelSpec(
    name="wan/2-2-animate-move",
    provider="Wan",
    model_version="2-2-animate-move",
    title="Wan 2.2 Animate: move",
    description=(
        "Moves the character of a picture as the person in a video moves: "
        "motion and expression come from the video, character and background from the picture."
    ),
    operations=("animate-move", "motion-control"),
    mode="animate",
    credits_per_second=WAN_2_2_ANIMATE_REPLACE.credits_per_second,
)

CATALOGUE: Mapping[str, ModelSpec] = MappingProxyType(
    {m.name: m for m in (WAN_2_2_ANIMATE_REPLACE, WAN_2_2_ANIMATE_MOVE)}
)


def produced_resolution(resolution: str, short_side: int) -> str:
    """The smallest class that holds the output of a file with this short side in pixels, if ``resolution`` is asked.

    A smaller file is not enlarged, so its output may belong to a smaller class.
    """
    produced = min(RESOLUTIONS[resolution], short_side // 2 * 2)  # outputs have even sides
    return min((name for name, side in RESOLUTIONS.items() if side >= produced), key=lambda name: RESOLUTIONS[name])


def find_model(name: str, catalogue: Mapping[str, ModelSpec] = CATALOGUE) -> ModelSpec:
    """The entry called ``name``.

    Raises:
        NotFound: no model has this name; the message lists those that there are.
    """
    try:
        return catalogue[name]
    except KeyError:
        raise NotFound(f"Unknown model '{name}'; there are: {', '.join(catalogue)}", model=name) from None


def priced(credits_per_second: Mapping[str, Decimal]) -> Mapping[str, ModelSpec]:
    """The catalogue at an installation's own prices: credits for a second of output, by resolution."""
    models = [
        replace(model, credits_per_second=MappingProxyType({**model.credits_per_second, **credits_per_second}))
        for model in CATALOGUE.values()
    ]
    return MappingProxyType({model.name: model for model in models})
