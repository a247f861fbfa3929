"""The domain's rules."""

from decimal import Decimal

import pytest

from bodydouble.tasks.account import API_KEY_PATTERN, hash_api_key, make_api_key
from bodydouble.tasks.catalogue import WAN_2_2_ANIMATE_REPLACE, find_model
from bodydouble.tasks.errors import NotFound


@pytest.mark.parametrize(
    ("resolution", "seconds", "credits"),
    [
        ("480P", 0.2, "6"),
        ("480P", 1.0, "6"),
        ("480P", 1.0004, "6"),
        ("480P", 1.04, "12"),
        ("580P", 5, "45"),
        ("720P", 5, "62.5"),
        ("720P", 120, "1500"),
    ],
)
def test_started_seconds_are_paid(resolution: str, seconds: float, credits: str) -> None:
    """The price is exact, by the started second, at least one; a container's rounding is no further second."""
    assert WAN_2_2_ANIMATE_REPLACE.price(resolution, seconds) == Decimal(credits)


def test_an_unknown_model_names_those_there_are() -> None:
    """The message helps to find the right name."""
    with pytest.raises(NotFound, match="wan/2-2-animate-replace"):
        find_model("wan/9")


def test_keys_look_as_clients_expect_and_differ() -> None:
    """ak_ and 32 hexadecimal digits; the stored hash tells nothing of the key."""
    keys = {make_api_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(API_KEY_PATTERN.match(key) for key in keys)
    assert len(hash_api_key("ak_x")) == 32
