"""Lengths that headers announce."""

import pytest

from bodydouble.tasks.content_length import announced_bytes


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("200000000", 200_000_000), ("", None), ("-1", None), ("1.5", None), ("many", None), ("9" * 5000, None)],
)
def test_only_a_number_is_a_length(text: str, size: int | None) -> None:
    """A missing header and anything but digits announce nothing; neither does a number that Python refuses."""
    assert announced_bytes({"content-length": text}) == size
