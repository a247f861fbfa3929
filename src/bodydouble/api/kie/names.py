"""Names of fields. Workers import this module, so it imports nothing of the web framework."""

from bodydouble.api.field_names import FieldNames

FIELDS = FieldNames({"img_urls": "input.image_url", "video_urls": "input.video_url", "callback_url": "callBackUrl"})
