"""Which networks the operator wants perception to use."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PerceptionOptions:
    """Each model is a folder, or a hub id whose files are already in the hub's cache: a task downloads nothing."""

    backend: str = "auto"  # auto (gpu where a card and all models are available), cpu or gpu
    detector: str = "PekingU/rtdetr_v2_r50vd"
    pose: str = "usyd-community/vitpose-plus-huge"  # or a converted whole-body ViTPose
    masks: str = "facebook/sam2.1-hiera-large"
    device: str = "cuda"  # cpu: for tests with small models
