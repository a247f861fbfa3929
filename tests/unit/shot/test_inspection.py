import cv2
import pytest

import material
from bodydouble.media import MediaLimits
from bodydouble.perception import PersonChoice
from bodydouble.shot.inspection import CELL_HEIGHT, inspect_video
from bodydouble.tasks.errors import NobodyFound

LIMITS = MediaLimits(video_seconds_min=0)


def test_a_sheet_shows_whom_the_video_holds(model_pack, tmp_path):
    """The sheet has a column for each frame and five rows with content; the figures count the man and his face."""
    video = material.write_video(tmp_path / "man.mp4", material.carphone(6, 240))
    sheet, told = tmp_path / "sheet.jpg", []

    found = inspect_video(video, sheet, model_pack, PersonChoice(), LIMITS, 480, told.append)

    assert (found.frames, found.shots, found.present, found.face, found.absent) == (6, 1, 6, 6, [])
    picture = cv2.imread(str(sheet))
    assert picture is not None
    assert picture.shape[0] > 5 * CELL_HEIGHT
    assert picture.mean() > 30
    assert told[-1] == 1.0
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("man.mp4", "sheet.jpg")] == []


def test_a_video_with_nobody_leaves_no_sheet(model_pack, tmp_path):
    """A video without people raises the same error as in a replacement, and no sheet is written."""
    video = material.write_video(tmp_path / "hills.mp4", material.landscape(3, (320, 240)))

    with pytest.raises(NobodyFound, match="no person was found"):
        inspect_video(video, tmp_path / "sheet.jpg", model_pack, PersonChoice(), LIMITS, 480, lambda _: None)

    assert not (tmp_path / "sheet.jpg").exists()
