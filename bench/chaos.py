"""Random kills, freezes and damage under load: counts of tasks, disturbances and losses (expected: none).

    python bench/chaos.py [--quick] [--kills 40] [--seed 1] [--real 1]

An API with its database and two workers with separate data folders receive tasks, cancels, SIGKILLs and SIGSTOPs.
Artefacts and workspaces are changed and deleted. The disk of the workers and of the file store is filled. The clock of
the database is stepped by up to 100 s: all times that it stored are moved. A receiver takes the callbacks and refuses
some at first. It also serves the videos of a quarter of the tasks. A fast child process makes most tasks; the puppet
renderer makes ``--real`` of them. Then the disturbances stop, and all tasks may finish. Every acknowledged task must
have ended, with its own video. It must be settled once, with a correct ledger, and its callback must have one id.
Otherwise the exit status is 1. The last line is one flat JSON object.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DISK_SIZE = "256m"
"""Of the workers' folders and the file store; the database lies elsewhere, as its reserve is not under test here."""
TESTS = Path(__file__).parents[1] / "tests"


def main() -> None:
    """Run, print the report, and exit with 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one disturbance of each kind, fast child processes only")
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--real", type=int, default=1, help="tasks made by the puppet renderer")
    chosen = parser.parse_args()
    sys.path.insert(0, str(TESTS))
    from chaos import CLOCK, DAMAGES, DISK, FREEZES, TARGETS, Chaos
    from material import astronaut, carphone, write_image, write_video

    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    with tempfile.TemporaryDirectory(prefix="bodydouble-chaos-") as name:
        folder = Path(name)
        mounted = mount(folder)
        image = write_image(folder / "astronaut.png", astronaut())
        video = write_video(folder / "carphone.mp4", carphone(48, 216), sound=True)
        targets = (*TARGETS, *FREEZES, *DAMAGES, CLOCK, *([DISK] if mounted else ()))
        kills, real = (len(targets), 0) if chosen.quick else (chosen.kills, chosen.real)
        logs = Path(tempfile.mkdtemp(prefix="bodydouble-chaos-logs-"))
        try:
            report = Chaos(folder, chosen.seed, image, video, targets, logs).run(kills, real)
        finally:
            if mounted:
                subprocess.run(["umount", "-l", name], check=False)
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    print(f"{machine}, commit {git.stdout.strip()}, seed {chosen.seed}")
    for loss in report.losses:
        print("LOSS", loss)
    if report.losses:
        print(f"what the processes printed: {logs}")
    else:
        shutil.rmtree(logs)
    print(f"{report.tasks} tasks, {report.kills.total()} kills, {len(report.losses)} losses")
    flat = {"machine": machine, "commit": git.stdout.strip(), "seed": chosen.seed, "real_tasks": real}
    print(json.dumps(flat | report.flat()))
    sys.exit(1 if report.losses else 0)


def mount(folder: Path) -> bool:
    """Mount a small file system in memory at ``folder``. False if this user may not: then no disk is filled."""
    options = ["-o", f"size={DISK_SIZE},mode=755", "tmpfs", str(folder)]
    done = subprocess.run(["mount", "-t", "tmpfs", *options], capture_output=True, check=False)
    if done.returncode:
        print("no disk is filled: this user may not mount one")
    return done.returncode == 0


if __name__ == "__main__":
    main()
