"""The content of a result's manifest."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bodydouble import __version__
from bodydouble.tasks.digests import digest_of

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""IPTC's vocabulary of digital source types."""
GENERATED = "trainedAlgorithmicMedia"  # all pixels come from a trained network
GENERATED_PART = "compositeWithTrainedAlgorithmicMedia"  # some do
SYNTHETIC_PART = "compositeSynthetic"  # a drawn character in a camera's picture
PRODUCTION = "org.bodydouble.production"
"""Label of our own assertion: renderer, networks, task, and digests of the inputs and of the file before signing."""


@dataclass(frozen=True, kw_only=True)
class Production:
    """How a result was made."""

    video: Path
    image: Path
    moves_picture: bool  # mode animate: every frame is new
    renderer: str
    trained_pixels: bool  # the renderer draws with a trained network
    networks: Sequence[str]  # with versions
    task_id: str = ""  # empty: made without a service

    @property
    def source_type(self) -> str:
        """IPTC's term for the result."""
        if not self.trained_pixels:
            return SYNTHETIC_PART
        return GENERATED if self.moves_picture else GENERATED_PART

    def manifest(self, unsigned: Path, form: str) -> dict[str, Any]:
        """The definition for C2PA's builder, of the finished file ``unsigned`` with the media type ``form``."""
        agent = {"name": f"bodydouble {self.renderer}", "version": __version__}
        made = {
            "softwareAgent": agent,
            "digitalSourceType": SOURCE_TYPES + self.source_type,
            "description": "A generated character moves like the person in the driving video."
            if self.moves_picture
            else "A generated character replaces a person.",
        }
        if self.moves_picture:
            actions = [{"action": "c2pa.created", "parameters": {"ingredientIds": ["image", "video"]}, **made}]
        else:
            actions = [
                {"action": "c2pa.opened", "parameters": {"ingredientIds": ["video"]}},
                {"action": "c2pa.placed", "parameters": {"ingredientIds": ["image"]}},
                {"action": "c2pa.edited", **made},
            ]
        production = {
            "renderer": self.renderer,
            "networks": list(self.networks),
            "unsigned_sha256": digest_of(unsigned),
            "inputs": {"video": digest_of(self.video), "image": digest_of(self.image)},
        }
        if self.task_id:
            production["task"] = self.task_id
        return {
            "claim_generator_info": [{"name": "bodydouble", "version": __version__}],
            "title": "bodydouble result",
            "format": form,
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": actions}, "created": True},
                {"label": PRODUCTION, "data": production, "created": True},
            ],
        }

    def ingredients(self) -> list[tuple[Path, dict[str, str]]]:
        """The input files with the definitions for C2PA's builder."""
        video, image = ("inputTo", "inputTo") if self.moves_picture else ("parentOf", "componentOf")
        return [
            (self.video, {"title": "driving video", "relationship": video, "label": "video"}),
            (self.image, {"title": "reference image", "relationship": image, "label": "image"}),
        ]
