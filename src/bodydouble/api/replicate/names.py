"""Names of Replicate's API, and its models that we serve."""

import hashlib
from collections.abc import Mapping

from bodydouble.api.field_names import FieldNames
from bodydouble.tasks.catalogue import WAN_2_2_ANIMATE_MOVE, WAN_2_2_ANIMATE_REPLACE

PREFIX = "/replicate"
ROOT = f"{PREFIX}/v1"
OWNER = "wan-video"
MODELS: Mapping[str, str] = {
    f"{OWNER}/wan-2.2-animate-replace": WAN_2_2_ANIMATE_REPLACE.name,
    f"{OWNER}/wan-2.2-animate-animation": WAN_2_2_ANIMATE_MOVE.name,
}
"""Replicate's model → ours."""
NAMES: Mapping[str, str] = {ours: name for name, ours in MODELS.items()}
VERSIONS: Mapping[str, str] = {name: hashlib.sha256(name.encode()).hexdigest() for name in MODELS}
"""Model → the id of its version here."""
FIELDS = FieldNames({"img_urls": "input.character_image", "video_urls": "input.video", "callback_url": "webhook"})
