"""A killed shot resumes after its last finished step."""

import os
import subprocess
import sys
from pathlib import Path

import box_shot
from bodydouble.shot import Shot, ShotRequest
from box_shot import PACK, BoxRenderer, box_plugin

# Progress reports after which the process is killed, one start after the other: in the probe, in perception, while
# preparing, inside the first, the second and the third segment.
KILLS = (1, 4, 8, 14, 25, 22)


def _run_until(workspace: Path, reports: int | None) -> int:
    """Run the shot in a separate process and kill it at its n-th report. Returns the number of reports."""
    environment = os.environ | {"PYTHONPATH": str(Path(box_shot.__file__).parent)}
    count = 0
    with subprocess.Popen(
        [sys.executable, "-m", "box_shot", str(workspace)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in process.stdout:
            count += 1
            if count == reports:
                process.kill()
                break
            process.stdin.write("\n")
            process.stdin.flush()
    assert process.returncode == (-9 if reports else 0)
    return count


def test_killed_again_and_again_the_bytes_are_the_same(box_request: ShotRequest, tmp_path: Path) -> None:
    """After SIGKILLs in every stage and in several segments, the result has the bytes of an undisturbed run."""
    Shot.create(tmp_path / "killed", box_request, PACK)
    for reports in KILLS:
        _run_until(tmp_path / "killed", reports)
    assert not (tmp_path / "killed" / "result.mp4").exists()
    done = sorted(p.name for p in (tmp_path / "killed" / "segments").glob("*.nut"))
    assert done == ["segment-00000.nut", "segment-00001.nut"]
    last = _run_until(tmp_path / "killed", None)
    single = Shot.create(tmp_path / "single", box_request, PACK, plugin=box_plugin(BoxRenderer())).run()
    assert (tmp_path / "killed" / "result.mp4").read_bytes() == single.path.read_bytes()
    assert last < 40, "of the 51 reports of a whole run: finished segments were not rendered again"
