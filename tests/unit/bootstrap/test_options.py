"""From settings to the options of the rendering rooms."""

from pathlib import Path

import pytest

from bodydouble.bootstrap.options import perception_options, wan_settings
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
