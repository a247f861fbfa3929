"""Options of the wan renderer that a task can choose."""

from dataclasses import dataclass

from bodydouble.renderers.options import option

SEED_MAX = 2**63 - 1
"""The largest seed that torch's generators take."""


@dataclass(frozen=True, kw_only=True)
class WanOptions:
    """What a caller may choose."""

    seed: int = option(
        0, "Seed of the random numbers: the same seed gives the same video.", minimum=0, maximum=SEED_MAX
    )
    steps: int = option(
        20, "Denoising steps.", api_name="num_inference_steps", label="Denoising steps", minimum=2, maximum=40
    )  # the profile of the installation may allow fewer
    guidance: float = option(
        1.0, "Classifier-free guidance; above 1 the prompt counts more and the time doubles.",
        api_name="guidance_scale", label="Guidance", minimum=0, maximum=20,
    )  # fmt: skip
    shift: float = option(5.0, "Flow shift of the schedule.", label="Flow shift", minimum=0, maximum=20)
    prompt: str = option("", "Description of the scene.", length_max=2000)  # empty: the model's own
