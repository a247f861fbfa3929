"""What is asked of a shot, as JSON."""

from pathlib import Path

from bodydouble.media import MediaLimits
from bodydouble.perception import PersonChoice
from bodydouble.renderers.wan.options import WanOptions
from bodydouble.shot import ShotRequest


def test_a_request_survives_json() -> None:
    """Every field comes back as it was."""
    request = ShotRequest(
        image=Path("a.png"),
        video=Path("b.mp4"),
        short_side=480,
        person=PersonChoice(point=(0.25, 0.5), rank=2),
        renderer="puppet",
        hands="puppet",
        seed=7,
        keep_audio=False,
        prompt="somebody dances",
        steps=8,
        guidance=2.5,
        shift=3.0,
        limits=MediaLimits(video_seconds_max=3.5),
        wan=WanOptions(profile="balanced", weights="somewhere"),
    )
    assert ShotRequest.from_json(request.to_json()) == request
