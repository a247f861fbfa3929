"""Tests of a shot's request as JSON."""

from pathlib import Path

from bodydouble.media import MediaLimits, Quality
from bodydouble.perception import PersonChoice
from bodydouble.shot import ShotRequest


def test_a_request_survives_json() -> None:
    """All fields keep their values through JSON."""
    request = ShotRequest(
        image=Path("a.png"),
        video=Path("b.mp4"),
        short_side=480,
        person=PersonChoice(point=(0.25, 0.5), rank=2),
        renderer="puppet",
        options={"hands": "puppet", "seed": 7, "guidance": 2.5},
        keep_audio=False,
        quality=Quality.HIGH,
        dynamic_range="sdr",
        limits=MediaLimits(video_seconds_max=3.5),
        renderer_settings={"wan": {"profile": "balanced", "weights": "somewhere"}},
    )
    assert ShotRequest.from_json(request.to_json()) == request
