"""Load the detector, pose and mask models, and provide them as perception's networks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoModel,
    AutoModelForObjectDetection,
    BaseImageProcessor,
    VitPoseForPoseEstimation,
)
from transformers.utils.logging import disable_progress_bar

from bodydouble.perception.gpu.finder import DetrFinder
from bodydouble.perception.gpu.mattes import SamMatteMaker
from bodydouble.perception.gpu.pose import PoseNet
from bodydouble.perception.gpu.weights import locate_model
from bodydouble.perception.options import PerceptionOptions
from bodydouble.tasks.errors import ModelPackMissing

VIDEO_MODEL = "sam2_video"
"""``model_type`` that the mask model must have."""


class GpuNetworks:
    """Implements ``perception.networks.Networks``. The weights are loaded once and shared."""

    interpolates = False  # measuring is cheap on a GPU, and the rendering model was trained on measured poses

    def __init__(self, name: str, finder: DetrFinder, pose: PoseNet, mattes: Callable[[], SamMatteMaker]) -> None:
        self.name = name
        self._finder, self._pose, self._mattes = finder, pose, mattes

    def people(self) -> DetrFinder:
        """The people finder (RT-DETRv2)."""
        return self._finder

    def body(self) -> PoseNet:
        """The pose network (ViTPose)."""
        return self._pose

    def mattes(self) -> SamMatteMaker:
        """A new matte maker (SAM 2 video)."""
        return self._mattes()

    def close(self) -> None:
        """Release the networks and their GPU memory, which torch would otherwise keep reserved for this process."""
        del self._finder, self._pose, self._mattes
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def load_networks(options: PerceptionOptions) -> GpuNetworks:
    """The models that ``options`` names, on its device. On a GPU the mask model uses bfloat16, the others float32.

    Raises:
        ModelPackMissing: a model is not on this machine, or has the wrong kind. The message names it.
    """
    disable_progress_bar()  # progress bars would fill the logs
    device = torch.device(options.device)
    detector = _load("detector", options.detector, AutoModelForObjectDetection, device)
    pose = _load("pose", options.pose, VitPoseForPoseEstimation, device)
    half = torch.bfloat16 if device.type == "cuda" else torch.float32
    kind = AutoConfig.from_pretrained(_folder("masks", options.masks), local_files_only=True).model_type
    if kind != VIDEO_MODEL:
        raise _unfit("masks", options.masks, f"it is a {kind}, not a {VIDEO_MODEL}")
    masks = _load("masks", options.masks, AutoModel, device, half)
    # SAM's own processors need torchvision. Their settings suffice: SamMatteMaker._pixels does the arithmetic.
    settings, _ = BaseImageProcessor.get_image_processor_dict(_folder("masks", options.masks))
    mean, deviation = settings["image_mean"], settings["image_std"]
    try:
        body = PoseNet(pose, _processor(options.pose, "pose"))
        finder = DetrFinder(detector, _processor(options.detector, "detector"), body)
    except ValueError as error:
        raise ModelPackMissing(f"Perception on the GPU: {error}.") from None
    name = f"gpu {options.detector} {options.pose} {options.masks}"
    return GpuNetworks(name, finder, body, lambda: SamMatteMaker(masks, mean, deviation))


def _folder(role: str, where: str) -> Path:
    folder = locate_model(where)
    if folder is None:
        raise ModelPackMissing(
            f"The {role} model is not installed: {where} is neither a model folder nor in the hub's cache.",
            model=where,
        )
    return folder


def _load(role: str, where: str, kind: Any, device: torch.device, dtype: torch.dtype = torch.float32) -> Any:
    folder = _folder(role, where)
    try:
        model, report = kind.from_pretrained(folder, local_files_only=True, dtype=dtype, output_loading_info=True)
    except (OSError, ValueError, KeyError) as error:
        raise _unfit(role, where, str(error).strip().splitlines()[0]) from None
    if report["missing_keys"]:
        raise _unfit(role, where, f"{len(report['missing_keys'])} of its weights are missing")
    return model.eval().to(device)


def _processor(where: str, role: str) -> Any:
    return AutoImageProcessor.from_pretrained(_folder(role, where), local_files_only=True, backend="pil")


def _unfit(role: str, where: str, why: str) -> ModelPackMissing:
    return ModelPackMissing(f"The {role} model {where} cannot be used: {why}.", model=where)
