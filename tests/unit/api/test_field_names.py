"""Names of fields in messages of dialects."""

import pytest

from bodydouble.api.field_names import FieldNames

NAMES = FieldNames({"img_urls": "input.image_url", "video_urls": "input.video_url"})


@pytest.mark.parametrize(
    ("message", "vendors"),
    [
        ("video_urls[0]: must be an http URL", "input.video_url: must be an http URL"),
        ("video: nobody was found", "input.video_url: nobody was found"),
        ("image: is too large", "input.image_url: is too large"),
        ("seed: must be a number", "seed: must be a number"),
        ("The video has no frames", "The video has no frames"),
        ("image_count: is unknown", "image_count: is unknown"),
    ],
)
def test_messages_name_the_vendors_fields(message: str, vendors: str) -> None:
    """Those of requests and those of workers, which name the files of a shot; other words stay."""
    assert NAMES.translate(message) == vendors
