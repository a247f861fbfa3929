"""The operator's settings of the renderer, as plain values, because they are sent to other processes."""

from dataclasses import dataclass

from bodydouble.renderers.wan.attention_kinds import KINDS

HUB_ID = "Wan-AI/Wan2.2-Animate-14B-Diffusers"
"""The repository of the weights on the hub."""
PROFILES = ("auto", "quality", "balanced", "fast")
QUANTISATIONS = ("auto", "none", "fp8", "int8", "fp8-weights", "int8-weights")
OFFLOADS = ("auto", "none", "encoders", "blocks")
CARRIED_FRAMES = (1, 5)
"""Accepted numbers of carried frames: those that Wan-Video/Wan2.2 recommends for its ``refert_num``."""
SEGMENT_FRAMES_RANGE = (9, 121)
"""Lengths that were run on tiny weights. The model was trained on 77 frames."""
STEP_CACHE_MAX = 0.5
"""MagCache's published examples use 0.12 to 0.24."""
ATTENTIONS = ("auto", *KINDS)


@dataclass(frozen=True, kw_only=True)
class WanSettings:
    """``auto`` follows from the card; ``docs/wan.md`` says what each choice costs."""

    weights: str | None = None  # a folder; None: the user's cache
    profile: str = "auto"
    attention: str = "auto"
    quantisation: str = "auto"
    offload: str = "auto"
    step_cache: float = 0.0  # largest error of steps that reuse an earlier one; 0: every step is computed
    compile: bool = True  # regional torch.compile; the first segment after loading waits for it
    relighting: str | None = None  # LoRA file; None: the one in the weights folder, where there is one
    relit: bool = True  # false: without that LoRA
    distillation: str | None = None  # LoRA file that profile fast needs; None: as above
    segment_frames: int = 77  # 4n + 1; what the model was trained on
    carried_frames: int = 1  # 1 or 5
    area_max: int = 1280 * 720  # pixels that the model works on; larger videos are made smaller for it
    area_min: int = 832 * 480  # smaller videos and pictures are enlarged for it
    mask_columns: int = 1  # blocks that the person's box is cut into; one that touches the person is painted whole
    mask_rows: int = 1
    gpus: int = 1  # that draw one task together
    smaller_setups: int = 0  # how many setups smaller than the best one that fits; grows when memory runs out
    device: str = "cuda"  # cpu is for tests on tiny weights

    def __post_init__(self) -> None:
        """Raises ValueError with the setting's name and what it may be."""
        for name, known in (
            ("profile", PROFILES),
            ("attention", ATTENTIONS),
            ("quantisation", QUANTISATIONS),
            ("offload", OFFLOADS),
        ):
            if getattr(self, name) not in known:
                raise ValueError(f"wan_{name}: {getattr(self, name)!r} is none of {', '.join(known)}")
        if not 0 <= self.step_cache <= STEP_CACHE_MAX:
            raise ValueError(f"wan_step_cache: {self.step_cache} is not from 0 to {STEP_CACHE_MAX}")
        if self.smaller_setups < 0:
            raise ValueError(f"wan_smaller_setups: {self.smaller_setups} is below 0")
        if self.carried_frames not in CARRIED_FRAMES:
            raise ValueError(f"wan_carried_frames: {self.carried_frames} is neither 1 nor 5")
        low, high = SEGMENT_FRAMES_RANGE
        if self.segment_frames % 4 != 1 or not low <= self.segment_frames <= high:
            raise ValueError(f"wan_segment_frames: {self.segment_frames} is not 4n + 1 from {low} to {high}")
