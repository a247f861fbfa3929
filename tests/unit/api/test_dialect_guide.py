"""The tables of docs/clients.md against the code: each input of a vendor's model does what its row says."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bodydouble.api.dashscope import models as dashscope
from bodydouble.api.fal import models as fal
from bodydouble.api.kie import models as kie
from bodydouble.api.replicate import inputs as replicate
from bodydouble.api.replicate.names import VERSIONS
from bodydouble.api.request_bodies import validate
from bodydouble.api.wavespeed import models as wavespeed
from bodydouble.service import Submission
from bodydouble.tasks.errors import InvalidParams

GUIDE = (Path(__file__).parents[3] / "docs" / "clients.md").read_text()
ROW = re.compile(r"^\| (?P<inputs>`[^|]+?) \| (?P<state>served|mapped|without effect|refused) \|", re.MULTILINE)
IMAGE, VIDEO, HOOK = "https://example.com/i.png", "https://example.com/v.mp4", "https://example.com/hook"
OTHER = "https://example.com/other"
REPLACES = next(iter(VERSIONS))
UNCHANGING = {("wavespeed", "enable_sync_mode"): True}
"""Served by the response: the task is the same."""

BASES: Mapping[str, Mapping[str, Any]] = {
    "fal": {"video_url": VIDEO, "image_url": IMAGE},
    "replicate": {"video": VIDEO, "character_image": IMAGE, "version": VERSIONS[REPLACES]},
    "dashscope": {"input.image_url": IMAGE, "input.video_url": VIDEO, "parameters.mode": "wan-pro"},
    "wavespeed": {"image": IMAGE, "video": VIDEO, "seed": 1},
    "kie": {"input.image_url": IMAGE, "input.video_url": VIDEO},
}
"""The least that a request has."""
OTHERS: Mapping[str, Mapping[str, Any]] = {
    "fal": {
        **dict.fromkeys(("video_url", "image_url"), OTHER),
        "resolution": "580p",
        "num_inference_steps": 9,
        "guidance_scale": 2,
        "shift": 4,
        "seed": 3,
        "video_quality": "low",
        "use_turbo": True,
        "enable_safety_checker": True,
        "enable_output_safety_checker": True,
        "video_write_mode": "fast",
        "return_frames_zip": True,
        "fal_webhook": HOOK,
    },
    "replicate": {
        **dict.fromkeys(("video", "character_image"), OTHER),
        "resolution": "480",
        "seed": 3,
        "merge_audio": False,
        "go_fast": True,
        "refert_num": 5,
        "frames_per_second": 25,
        "webhook": HOOK,
        "webhook_completed": HOOK,
        "webhook_events_filter": ["start"],
        "stream": True,
        "version": list(VERSIONS.values())[-1],
    },
    "dashscope": {
        **dict.fromkeys(("input.image_url", "input.video_url"), OTHER),
        "parameters.mode": "wan-std",
        "parameters.check_image": False,
        "input.watermark": True,
        "parameters.watermark": True,
        "input.prompt": "a",
        "input.extend_prompt": False,
        "input.function": "a",
    },
    "wavespeed": {
        **dict.fromkeys(("image", "video"), OTHER),
        "mode": "replace",
        "resolution": "720p",
        "seed": 2,
        "prompt": "a",
        "enable_sync_mode": True,
        **dict.fromkeys(("webhook", "webhook_url"), HOOK),
    },
    "kie": {
        **dict.fromkeys(("input.image_url", "input.video_url"), OTHER),
        "input.resolution": "720p",
        "callBackUrl": HOOK,
    },
}
"""For each input another value than in ``BASES`` and than its default."""


def rows(dialect: str) -> dict[str, str]:
    """Input of the vendor's model → what its row says. Headers, lists and uploads have tests of their own."""
    section = re.search(rf"^## {dialect}\b.*?(?=^## |\Z)", GUIDE, re.MULTILINE | re.DOTALL | re.IGNORECASE)
    assert section is not None
    return {
        name: row["state"]
        for row in ROW.finditer(section[0])
        if "upload" not in row["inputs"].replace("uploads_", "")
        for name in re.findall(r"`([^`]+)`", row["inputs"])
    }


def make(dialect: str, given: Mapping[str, Any]) -> Submission:
    """The submission of a request with these inputs. Raises InvalidParams."""
    nested: dict[str, Any] = {"input": {}, "parameters": {}}
    for name, value in given.items():
        part, _, rest = name.rpartition(".")
        (nested[part] if part else nested)[rest] = value
    plain = {name: value for name, value in given.items() if "." not in name}
    match dialect:
        case "fal":
            return fal.parse(next(iter(fal.ENDPOINTS)), _without(plain, "fal_webhook"), {}, plain.get("fal_webhook"))
        case "replicate":
            body = {name: plain.pop(name) for name in replicate.PredictionBody.model_fields if name in plain}
            return replicate.parse(None, body | {"input": plain})
        case "dashscope":
            return dashscope.parse({"model": next(iter(dashscope.MODELS)), **nested}, "http://127.0.0.1")
        case "wavespeed":
            query = {"webhook": plain["webhook"]} if "webhook" in plain else {}
            return wavespeed.parse(validate(wavespeed.AnimateInput, _without(plain, "webhook")), query)
        case _:
            del nested["parameters"]
            return kie.parse({"model": "wan/2-2-animate-replace", **nested})


def _without(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key != name}


def effect(made: Submission) -> tuple[Any, ...]:
    """All that decides about the task and its callbacks."""
    options = made.param["dialect"].get("options") or {}
    events = sorted(name for name in options if "webhook" in name)
    return made.model, made.inputs, made.callback_url, made.event_url, events


@pytest.mark.parametrize("dialect", sorted(BASES))
def test_the_guide_has_every_input_and_no_other(dialect: str) -> None:
    """The rows are the fields of the request's models."""
    models: dict[str, set[str]] = {
        "fal": {*fal.AnimateInput.model_fields, "fal_webhook"},
        "replicate": {*replicate.AnimateInput.model_fields, *replicate.PredictionBody.model_fields} - {"input"},
        "dashscope": {
            *(f"input.{name}" for name in dashscope.AnimateInput.model_fields),
            *(f"parameters.{name}" for name in dashscope.AnimateParameters.model_fields),
        },
        "wavespeed": {*wavespeed.AnimateInput.model_fields, "webhook"},
        "kie": {*(f"input.{name}" for name in kie.AnimateInput.model_fields), "callBackUrl"},
    }
    assert rows(dialect).keys() == models[dialect] == OTHERS[dialect].keys()


@pytest.mark.parametrize(
    ("dialect", "name", "state"),
    [(dialect, name, state) for dialect in sorted(BASES) for name, state in rows(dialect).items()],
)
def test_an_input_does_what_the_guide_says(dialect: str, name: str, state: str) -> None:
    """Served and mapped inputs change the task, refused ones are named in an error, and others change nothing."""
    base, other = BASES[dialect], {name: OTHERS[dialect][name]}
    if name == "webhook_events_filter":
        base = {**base, "webhook": HOOK}
    if state == "refused":
        with pytest.raises(InvalidParams) as refused:
            make(dialect, {**base, **other})
        assert [problem.split(":")[0].removeprefix("input.") for problem in refused.value.problems] == [
            name.removeprefix("input.")
        ]
        return
    unchanged = state == "without effect" or (dialect, name) in UNCHANGING
    assert (effect(make(dialect, {**base, **other})) == effect(make(dialect, base))) is unchanged


@pytest.mark.parametrize("dialect", sorted(BASES))
def test_an_input_that_is_not_in_the_guide_is_refused(dialect: str) -> None:
    """The error names it."""
    strange = "input.strange" if "input.image_url" in BASES[dialect] else "strange"
    with pytest.raises(InvalidParams, match="strange"):
        make(dialect, {**BASES[dialect], strange: 1})
