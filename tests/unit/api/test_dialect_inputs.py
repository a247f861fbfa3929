"""Inputs of vendors' models: none is missing in the documentation, and none is ignored in silence."""

from pathlib import Path
from typing import Any

import pytest

from bodydouble.api.fal.models import ENDPOINTS, QUALITIES
from bodydouble.api.fal.models import parse as parse_fal
from bodydouble.api.replicate.documents import IGNORED, LOGS_WEBHOOK, START_WEBHOOK
from bodydouble.api.replicate.inputs import parse as parse_replicate
from bodydouble.api.replicate.names import MODELS, VERSIONS
from bodydouble.service.inputs import require_consent
from bodydouble.tasks.errors import InvalidParams
from dialect_requests import REQUESTS

GUIDE = (Path(__file__).parents[3] / "docs" / "clients.md").read_text()
REPLACE = next(iter(ENDPOINTS))
FILES = {"video_url": "https://example.com/v.mp4", "image_url": "https://example.com/i.png"}
MEDIA = {"video": "https://example.com/v.mp4", "character_image": "https://example.com/i.png"}
HOOK = "https://example.com/hook"


@pytest.mark.parametrize("dialect", sorted(REQUESTS.keys() - {"crun"}))
def test_the_guide_says_that_a_dialect_has_no_consent(dialect: str) -> None:
    """An installation that requires consent refuses its requests. docs/clients.md names the setting."""
    with pytest.raises(InvalidParams, match="consent"):
        require_consent(REQUESTS[dialect](None))
    assert "`BODYDOUBLE_CONSENT_REQUIRED=true`" in GUIDE


def test_every_input_of_fal_arrives_under_our_name() -> None:
    """Values, defaults of fal's own, and the request as it was sent, without its files."""
    sent: dict[str, Any] = {"resolution": "580p", "seed": 9, "num_inference_steps": 12, "guidance_scale": 2, "shift": 3}
    made = parse_fal(REPLACE, FILES | sent | {"video_quality": "low"}, {}, HOOK)
    assert made.model == ENDPOINTS[REPLACE]
    wanted = {"resolution": "580P", "seed": 9, "num_inference_steps": 12, "guidance_scale": 2, "shift": 3}
    assert made.inputs.items() >= (wanted | {"quality": QUALITIES["low"]}).items()
    assert (made.inputs["video_urls"], made.callback_url) == ([FILES["video_url"]], HOOK)
    assert made.param["dialect"]["input"] == sent | {"video_quality": "low"}
    assert parse_fal(REPLACE, FILES, {}, None).inputs["resolution"] == "480P"


@pytest.mark.parametrize(
    "field", [{"use_turbo": True}, {"enable_safety_checker": True}, {"video_write_mode": "small"}, {"seed": True}]
)
def test_what_fal_offers_and_we_do_not_is_refused_by_name(field: dict[str, Any]) -> None:
    """The problem begins with the field."""
    with pytest.raises(InvalidParams) as refused:
        parse_fal(REPLACE, FILES | field, {}, None)
    assert refused.value.problems[0].startswith(f"{next(iter(field))}: ")


def test_every_input_of_replicate_arrives_under_our_name() -> None:
    """What changes nothing is remembered for the log; the events of the webhook each have their address."""
    sent: dict[str, Any] = {"resolution": "480", "seed": 4, "merge_audio": False, "go_fast": True, "refert_num": 5}
    body = {"input": MEDIA | sent, "webhook": HOOK, "webhook_events_filter": ["start", "logs"]}
    made = parse_replicate(next(iter(MODELS)), body)
    assert made.inputs.items() >= {"resolution": "480P", "seed": 4, "keep_audio": False}.items()
    assert made.callback_url is None
    options = made.param["dialect"]["options"]
    assert (options[START_WEBHOOK], options[LOGS_WEBHOOK]) == (HOOK, HOOK)
    assert set(options[IGNORED]) == {"go_fast", "refert_num"}
    assert parse_replicate(next(iter(MODELS)), {"input": MEDIA, "webhook": HOOK}).callback_url == HOOK


@pytest.mark.parametrize("version", [*VERSIONS.values(), *MODELS, f"{next(iter(MODELS))}:{'1' * 64}"])
def test_a_version_names_its_model(version: str) -> None:
    """A version's id, the model, or the model with any version."""
    made = parse_replicate(None, {"input": MEDIA, "version": version})
    known = {identifier: name for name, identifier in VERSIONS.items()}
    assert made.param["dialect"]["model"] == known.get(version, version.split(":")[0])


def test_an_unknown_version_is_refused_by_name() -> None:
    """Also one of another model than the path names."""
    with pytest.raises(InvalidParams, match="version"):
        parse_replicate(None, {"input": MEDIA, "version": "0" * 64})
    with pytest.raises(InvalidParams, match="version"):
        parse_replicate(next(iter(MODELS)), {"input": MEDIA, "version": list(MODELS)[1]})
