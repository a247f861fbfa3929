"""Names of fal's API."""

from bodydouble.api.field_names import FieldNames

PREFIX = "/fal"
APPLICATION = "fal-ai/wan"
"""Owner and alias: the clients drop the rest of an endpoint's name in the addresses of a request."""
FIELDS = FieldNames({"img_urls": "image_url", "video_urls": "video_url", "callback_url": "fal_webhook"})
