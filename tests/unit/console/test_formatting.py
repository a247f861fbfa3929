"""Formatting of numbers, charts, form fields and snippets."""

import ast
import json
import shlex
from datetime import date
from decimal import Decimal

import pytest

from bodydouble.api.crun.wire import EXAMPLES
from bodydouble.api.inputs import INPUTS
from bodydouble.console.form_fields import form_fields
from bodydouble.console.formatting import credits_text, duration_text, signed_text, size_text
from bodydouble.console.pages import ERROR_PAGES, local_path
from bodydouble.console.quality import report_rows
from bodydouble.console.snippets import write_snippets
from bodydouble.console.usage_chart import draw_usage
from bodydouble.tasks.credits import UsageDay
from bodydouble.tasks.errors import Kind


@pytest.mark.parametrize(
    ("value", "text"), [("9937.5000", "9,937.5"), ("0.0000", "0"), ("10000", "10,000"), ("1234567", "1,234,567")]
)
def test_credits_have_no_needless_digits(value: str, text: str) -> None:
    """Thousands are separated, trailing zeros are removed."""
    assert credits_text(Decimal(value)) == text


def test_signs_durations_and_sizes() -> None:
    """Numbers have U+2212 as minus, suitable units, and three digits."""
    assert (signed_text(Decimal(-18)), signed_text(Decimal("2.5"))) == ("−18", "+2.5")
    assert [duration_text(s) for s in (0.25, 59.6, 75, 3700, 90000)] == [
        "0.2 s", "1 min 00 s", "1 min 15 s", "1 h 01 min", "1 d 1 h",
    ]  # fmt: skip
    assert [size_text(n) for n in (10_000_000, 200_000_000, 123_456)] == ["10 MB", "200 MB", "0.123 MB"]


def test_bars_stack_and_end_today() -> None:
    """The last bar is today's, models of one day are stacked, and the highest bar fits below the top tick."""
    today = date(2026, 3, 2)
    usage = [
        UsageDay(day=today, model="a", succeeded=2, failed=0, credits=Decimal(30)),
        UsageDay(day=today, model="b", succeeded=1, failed=1, credits=Decimal(20)),
        UsageDay(day=date(2026, 2, 27), model="a", succeeded=1, failed=0, credits=Decimal(10)),
    ]
    chart = draw_usage(usage, today, 7)
    assert chart.ticks == ["50", "25", "0"]
    assert chart.labels[-1] == today
    assert chart.total == 60
    first, lower, upper = chart.bars
    assert (first.height, lower.height, upper.height) == (20, 60, 40)
    assert lower.x == upper.x > first.x
    assert upper.y == 0
    assert lower.y == upper.y + upper.height


def test_no_usage_is_an_empty_chart() -> None:
    """Without usage the chart has no bars."""
    assert draw_usage([], date(2026, 3, 2), 30).bars == []


@pytest.mark.parametrize("model", INPUTS)
def test_every_field_of_every_model_has_a_control(model: str) -> None:
    """The form has every field of the schema, and the template supports each kind."""
    schema = INPUTS[model].model_json_schema()
    fields = form_fields(schema)
    assert [field.name for field in fields] == list(schema["properties"])
    assert {f.kind for f in fields} <= {
        "image", "video", "person", "choice", "switch", "integer", "number", "text", "lines"
    }  # fmt: skip
    assert all(field.maximum is None or field.maximum < 2**53 for field in fields)
    assert {field.name for field in fields if field.basic} == {
        "img_urls", "video_urls", "person", "resolution", "keep_audio"
    }  # fmt: skip


def test_snippets_can_be_run() -> None:
    """The shell passes the exact request to curl, and the Python snippet is valid."""
    [body] = [dict(example) for example in EXAMPLES.values()][:1]
    body["input"] = dict(body["input"]) | {"prompt": 'it\'s "there"', "keep_audio": False}
    curl, python = write_snippets("http://127.0.0.1:8000", body, lambda base_url, body: [])
    words = shlex.split(curl.text)
    assert json.loads(words[words.index("-d") + 1]) == body
    assert any(isinstance(node, ast.With) for node in ast.parse(python.text).body)
    assert "keep_audio=False" in python.text
    assert 'prompt="it' in python.text


def test_a_report_says_what_was_lost_and_what_could_not_be_measured() -> None:
    """Changed audio is named, a missing value is "not measured", and negative values have U+2212."""
    figures = {
        "delivery": {"frames": True, "timestamps": True, "frame_rate": True, "duration": True, "audio": False},
        "background_psnr_mean_db": 48.25, "background_psnr_min_db": 40.0, "pck_20": 0.934, "face_texture_output": None,
        "face_texture_actor": -0.12, "mouth_correlation": 0.8, "flicker_output": 1.5, "flicker_source": 1.25,
        "residue": 0.0, "kept_things": 0.02, "bone_direction_share": 0.97, "bone_length_share": 0.8,
        "bone_length_ratios": {"neck": 1.0, "left shin": 1.25, "head": 1.6}, "foot_slide": -0.02, "torn_frames": 0.25,
        "clothes_output": 0.7, "clothes_actor": 0.1,
    }  # fmt: skip
    rows = {row["label"]: row for row in report_rows(figures)}
    assert rows["Kept exactly"]["meaning"] == "Changed: sound"
    assert rows["Background"]["value"] == "48.2 dB"
    assert rows["Pose"]["value"] == "93.4 %"
    assert rows["Likeness"]["value"] == "not measured"
    assert "−0.12" in rows["Likeness"]["meaning"]
    assert rows["Proportions"]["meaning"].endswith("Largest deviations: head × 1.60, left shin × 1.25.")
    assert rows["Feet"]["value"] == "−0.02 px/frame"
    assert rows["Whole body"]["value"] == "75.0 %"


@pytest.mark.parametrize(
    ("path", "own"),
    [("/tasks?x=1", "/tasks?x=1"), ("//evil", "/"), ("/\\evil", "/"), ("https://evil", "/"), ("", "/"), ("/a\nb", "/")],
)
def test_paths_of_ours(path: str, own: str) -> None:
    """Only paths of this site are accepted."""
    assert local_path(path) == own


def test_every_kind_of_error_has_its_page() -> None:
    """The table has every kind of error."""
    assert set(ERROR_PAGES) == set(Kind)
