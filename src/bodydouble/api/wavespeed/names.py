"""Names of models and fields. Workers import this module, so it imports nothing of the web framework."""

from collections.abc import Mapping

from bodydouble.api.field_names import FieldNames
from bodydouble.tasks.catalogue import WAN_2_2_ANIMATE_MOVE, WAN_2_2_ANIMATE_REPLACE

MODELS: Mapping[str, str] = {"replace": WAN_2_2_ANIMATE_REPLACE.name, "animate": WAN_2_2_ANIMATE_MOVE.name}
"""``mode`` → our model."""
FIELDS = FieldNames({"img_urls": "image", "video_urls": "video", "callback_url": "webhook"})
