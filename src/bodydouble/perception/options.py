"""Which networks the operator wants perception to use."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PerceptionOptions:
    """Each model is a folder, or a hub id whose files are in the hub's cache already: nothing is fetched in a task."""

    backend: str = "auto"  # auto: gpu where there is a card and the models are here; cpu; gpu
    detector: str = "PekingU/rtdetr_v2_r50vd"
    pose: str = "usyd-community/vitpose-plus-huge"  # or a converted whole-body ViTPose
    masks: str = "facebook/sam2.1-hiera-large"
    device: str = "cuda"  # cpu: for tests on small models
