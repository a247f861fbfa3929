"""What an operator may choose about the renderer, as plain values: they cross process borders."""

from dataclasses import dataclass

PROFILES = ("auto", "quality", "balanced", "fast")
QUANTISATIONS = ("auto", "none", "fp8", "int8", "fp8-weights", "int8-weights")
OFFLOADS = ("auto", "none", "encoders", "blocks")
ATTENTIONS = ("auto", "native", "cudnn", "flash", "flash3", "sage")


@dataclass(frozen=True, kw_only=True)
class WanSettings:
    """``auto`` follows from the card; ``docs/wan.md`` says what each choice costs."""

    weights: str | None = None  # a folder; None: the user's cache
    profile: str = "auto"
    attention: str = "auto"
    quantisation: str = "auto"
    offload: str = "auto"
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
        if self.carried_frames not in (1, 5):
            raise ValueError(f"wan_carried_frames: {self.carried_frames} is neither 1 nor 5")
        if self.segment_frames % 4 != 1 or not 9 <= self.segment_frames <= 121:
            raise ValueError(f"wan_segment_frames: {self.segment_frames} is not 4n + 1 from 9 to 121")
