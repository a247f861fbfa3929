"""What a task will cost."""

from decimal import Decimal
from typing import Any

import pytest

from bodydouble.service.inputs import Submission
from bodydouble.service.pricing import Pricing
from bodydouble.tasks.catalogue import CATALOGUE, ESTIMATE_SECONDS
from bodydouble.tasks.errors import NotFound

MODEL = "wan/2-2-animate-replace"


def submission(model: str = MODEL, **inputs: Any) -> Submission:
    given = {"img_urls": ["https://example.com/a.jpg"], "video_urls": ["https://example.com/a.mp4"]}
    return Submission(model=model, param={}, inputs=given | {"resolution": "480P"} | inputs)


@pytest.fixture
def pricing() -> Pricing:
    """Prices of the catalogue; whatever looks at a file fails."""
    nothing: Any = None
    return Pricing(nothing, nothing, nothing, CATALOGUE)


@pytest.mark.parametrize(("resolution", "a_second"), [("480P", "6"), ("580P", "9"), ("720P", "12.5")])
def test_an_estimate_is_for_a_video_of_five_seconds(pricing: Pricing, resolution: str, a_second: str) -> None:
    """It is marked as one, and follows the resolution."""
    found = pricing.estimate(submission(resolution=resolution))
    assert (found.credits, found.estimated) == (Decimal(a_second) * ESTIMATE_SECONDS, True)


def test_an_unknown_model_has_no_price(pricing: Pricing) -> None:
    """The error is that of a create."""
    with pytest.raises(NotFound):
        pricing.estimate(submission(model="wan/unknown"))
