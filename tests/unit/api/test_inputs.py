"""Validation of inputs: the fast ways give what the thorough ones give."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from bodydouble.api import inputs, translation
from bodydouble.api.inputs import INPUTS, plain_inputs
from bodydouble.api.translation import CALLBACK_URLS_REMEMBERED, CallbackUrl

LABELS = st.from_regex(r"[a-zA-Z0-9_-]{1,63}", fullmatch=True)
NEARLY_URLS = st.builds(
    lambda scheme, host, rest: f"{scheme}://{host}{rest}",
    st.sampled_from(["http", "https", "HTTP", "ftp", ""]),
    st.one_of(
        st.lists(LABELS, min_size=1, max_size=6).map(".".join),
        st.lists(LABELS, min_size=1, max_size=2).map(lambda labels: ".".join([*labels, "a" * 60, "b" * 64])),
        st.text(st.characters(codec="utf-8"), max_size=8),
        st.sampled_from(["[::1]", "user@host", "user:password@host", "host:80", "host:port", "a..b", ".", ""]),
    ),
    st.one_of(
        st.from_regex(r"[/?#][!-~]*", fullmatch=True),
        st.text(st.characters(codec="utf-8"), max_size=8),
        st.just("/" + "a" * inputs.URL_BYTES_MAX),
    ),
)


@given(NEARLY_URLS)
def test_the_short_check_of_an_address_accepts_nothing_else(url: str) -> None:
    """Every address that the short check accepts is accepted by the thorough one, unchanged."""
    if len(url) <= inputs.URL_BYTES_MAX and inputs.ORDINARY_URL.match(url):
        assert inputs.checked_url(url) == url


def test_ordinary_addresses_take_the_short_check() -> None:
    """A signed address of a bucket is one."""
    url = "https://bucket.s3.eu-central-1.amazonaws.com:443/a%20b/c.mp4?X-Amz-Signature=0a&X-Amz-Date=2026#t=1"
    assert inputs.ORDINARY_URL.match(url)


@pytest.mark.parametrize("model", INPUTS)
def test_inputs_are_plain_values(model: str) -> None:
    """The fields of an input equal pydantic's dump, for defaults and for each kind of value."""
    least: dict[str, Any] = {"img_urls": ["https://a.example/a.png"], "video_urls": ["https://a.example/a.mp4"]}
    for given_values in (least, least | {"person": [0.5, 1], "seed": 7, "resolution": "720p"}):
        read = INPUTS[model].model_validate(given_values)
        assert plain_inputs(read) == read.model_dump(mode="json")


def test_callback_addresses_are_remembered_within_a_limit() -> None:
    """The second reading returns the same; a wrong address stays wrong; memory is bounded."""
    adapter: TypeAdapter[Any] = TypeAdapter(CallbackUrl)
    first = adapter.validate_python("https://a.example/hook")
    assert adapter.validate_python("https://a.example/hook") == first
    for _ in range(2):
        with pytest.raises(ValidationError, match="user name or password"):
            adapter.validate_python("https://user:word@a.example/hook")
    for number in range(2 * CALLBACK_URLS_REMEMBERED):
        adapter.validate_python(f"https://a.example/{number}")
    assert len(translation.remembered_callback_urls) <= CALLBACK_URLS_REMEMBERED
