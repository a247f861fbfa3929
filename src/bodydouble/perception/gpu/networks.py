"""Loading the three models, and what perception takes them for."""

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


class GpuNetworks:
    """Satisfies ``perception.networks.Networks``; the weights are loaded once and shared."""

    interpolates = False  # measuring is cheap here, and the model that renders was trained on measured poses

    def __init__(self, name: str, finder: DetrFinder, pose: PoseNet, mattes: Callable[[], SamMatteMaker]) -> None:
        self.name = name
        self._finder, self._pose, self._mattes = finder, pose, mattes

    def people(self) -> DetrFinder:
        """RT-DETRv2."""
        return self._finder

    def body(self) -> PoseNet:
        """ViTPose."""
        return self._pose

    def mattes(self) -> SamMatteMaker:
        """SAM 2 over video."""
        return self._mattes()

    def close(self) -> None:
        """The card's memory goes to whoever renders next; torch would keep it for this process."""
        del self._finder, self._pose, self._mattes
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def load_networks(options: PerceptionOptions) -> GpuNetworks:
    """The models that ``options`` names, on its device. Masks are computed in bfloat16 on a GPU, the rest in float32.

    Raises:
        ModelPackMissing: a model is not here, or not of the kind that its place needs; the message says which.
    """
    disable_progress_bar()  # it would be drawn into the logs
    device = torch.device(options.device)
    detector = _load("detector", options.detector, AutoModelForObjectDetection, device)
    pose = _load("pose", options.pose, VitPoseForPoseEstimation, device)
    half = torch.bfloat16 if device.type == "cuda" else torch.float32
    kind = AutoConfig.from_pretrained(_folder("masks", options.masks), local_files_only=True).model_type
    if kind != VIDEO_MODEL:
        raise _unfit("masks", options.masks, f"it is a {kind}, not a {VIDEO_MODEL}")
    masks = _load("masks", options.masks, AutoModel, device, half)
    # SAM's own processors need torchvision for arithmetic of two lines; their settings are read instead.
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
            f"The {role} model is not here: {where} is neither a model's folder nor in the hub's cache.", model=where
        )
    return folder


def _load(role: str, where: str, kind: Any, device: torch.device, dtype: torch.dtype = torch.float32) -> Any:
    folder = _folder(role, where)
    try:
        model, report = kind.from_pretrained(folder, local_files_only=True, dtype=dtype, output_loading_info=True)
    except (OSError, ValueError, KeyError) as error:
        raise _unfit(role, where, str(error).strip().splitlines()[0]) from None
    if report["missing_keys"]:
        raise _unfit(role, where, f"{len(report['missing_keys'])} weights are missing in it")
    return model.eval().to(device)


def _processor(where: str, role: str) -> Any:
    return AutoImageProcessor.from_pretrained(_folder(role, where), local_files_only=True, backend="pil")


def _unfit(role: str, where: str, why: str) -> ModelPackMissing:
    return ModelPackMissing(f"The {role} model {where} cannot be used: {why}.", model=where)
