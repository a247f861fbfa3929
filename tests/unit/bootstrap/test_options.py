"""From settings to the options of the rendering rooms."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bodydouble.bootstrap import options
from bodydouble.bootstrap.options import perception_options, renderer_settings, wan_settings
from bodydouble.renderers.puppet.plugin import PLUGIN as PUPPET
from bodydouble.renderers.wan.plugin import PLUGIN as WAN
from bodydouble.settings import Settings
from bodydouble.tasks.errors import InputRejected


def test_what_is_set_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mask's grid, the GPUs of a task and perception's models; a folder with its whole path, an id as it is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pose").mkdir()
    settings = Settings(wan_mask_columns=4, wan_mask_rows=6, wan_gpus=2, perception_pose="pose", perception_masks="a/b")
    wan, perception = wan_settings(settings), perception_options(settings)
    assert (wan.mask_columns, wan.mask_rows, wan.gpus) == (4, 6, 2)
    assert (perception.pose, perception.masks) == (str(tmp_path / "pose"), "a/b")
    assert (perception.backend, perception.device) == ("auto", "cuda")


def test_what_does_not_go_together_names_the_setting() -> None:
    """Segments hold 4n + 1 frames."""
    with pytest.raises(InputRejected, match="wan_segment_frames: 78 is not 4n"):
        wan_settings(Settings(wan_segment_frames=78))


@dataclass(frozen=True, kw_only=True)
class ToySettings:
    """What an operator may choose about a renderer of another package."""

    strength: float = 1.0
    colour: str = "red"

    def __post_init__(self) -> None:
        if self.strength > 1:
            raise ValueError("setting renderers: toy.strength: more than 1")


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed renderer of another package."""
    plugin = dataclasses.replace(PUPPET, name="toy", settings=ToySettings)
    monkeypatch.setattr(options, "installed_plugins", lambda: (WAN, PUPPET, plugin))


def test_a_foreign_renderer_gets_its_settings(toy: None) -> None:
    """Values are converted to the types of its dataclass; what is not set keeps its default."""
    given = renderer_settings(Settings(renderers={"toy": {"strength": "0.5"}}))
    assert given["toy"] == {"strength": 0.5, "colour": "red"}
    assert renderer_settings(Settings())["toy"] == {"strength": 1.0, "colour": "red"}


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"toy": {"weight": 1}}, "toy has no setting weight; it has: strength, colour"),
        ({"toy": {"strength": "much"}}, "toy.strength: 'much' is not valid"),
        ({"toy": {"strength": 2}}, "^setting renderers: toy.strength: more than 1$"),
        ({"joy": {}}, "no renderer called joy is installed"),
        ({"wan": {"profile": "fast"}}, "wan.profile has a setting of its own, wan_profile"),
        ({"puppet": {"speed": 1}}, "puppet has no setting speed; it has: none"),
    ],
)
def test_a_wrong_setting_of_a_renderer_is_named(toy: None, table: dict[str, Any], reason: str) -> None:
    """The message has the renderer, the name, and what is there instead."""
    with pytest.raises(InputRejected, match=reason):
        renderer_settings(Settings(renderers=table))
