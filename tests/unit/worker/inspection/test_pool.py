"""Inspection of media in child processes."""

import os
import signal
import struct
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from bodydouble.media import MediaLimits
from bodydouble.tasks.errors import InspectionFailed, MediaRejected
from bodydouble.worker import child_socket
from bodydouble.worker.inspection.pool import InspectionLimits, InspectionPool
from clips import numbered, write_clip
from material import landscape, write_image, write_video

pytestmark = pytest.mark.anyio
LIMITS = InspectionLimits(children_max=1, seconds_max=300)
"""One child. The time bounds what hangs; a busy machine is no failure."""


@pytest.fixture
async def pool() -> AsyncIterator[InspectionPool]:
    async with InspectionPool(MediaLimits(), LIMITS) as pool:
        yield pool


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "in.mp4", landscape(40), 20)


async def test_one_child_inspects_one_file_after_the_other(pool: InspectionPool, video: Path, tmp_path: Path) -> None:
    """It answers with length and playability, or with the reason why the file is refused, and goes on."""
    picture = write_image(tmp_path / "in.png", np.full((240, 240, 3), 120, np.uint8))
    facts = await pool.inspect(video, "video_urls[0]")
    assert facts.duration_seconds == pytest.approx(2.0)
    assert facts.plays_in_browsers
    old = write_clip(tmp_path / "old.avi", numbered(10), time_base=Fraction(1, 25), codec="mpeg4")
    assert not (await pool.inspect(old, "video_urls[0]")).plays_in_browsers
    (child,) = pool.pids
    assert (await pool.inspect(picture, "img_urls[0]")).duration_seconds == 0
    with pytest.raises(MediaRejected, match=r"^video_urls\[0\]: .*picture, not a video"):
        await pool.inspect(picture, "video_urls[0]")
    assert pool.pids == [child]


async def test_a_killed_child_costs_no_file(pool: InspectionPool, video: Path) -> None:
    """The next child inspects it: the kernel kills children first when the machine runs out of memory."""
    await pool.inspect(video, "video_urls[0]")
    (child,) = pool.pids
    os.kill(child, signal.SIGKILL)
    assert (await pool.inspect(video, "video_urls[0]")).duration_seconds == pytest.approx(2.0)
    assert pool.pids != [child]


async def test_a_frozen_child_is_replaced_after_its_deadline(
    pool: InspectionPool, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller is told the limit; the next file gets another child."""
    await pool.inspect(video, "video_urls[0]")
    (child,) = pool.pids
    os.kill(child, signal.SIGSTOP)
    with monkeypatch.context() as patch:
        patch.setattr(pool, "_limits", replace(LIMITS, seconds_max=0.5))
        with pytest.raises(InspectionFailed, match=r"^video_urls\[0\]: its inspection took longer than 0.5 s"):
            await pool.inspect(video, "video_urls[0]")
    assert pool.pids == []
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    assert (await pool.inspect(video, "video_urls[0]")).duration_seconds == pytest.approx(2.0)


async def test_a_file_that_needs_too_much_memory_is_refused(tmp_path: Path) -> None:
    """The child's address space is limited; the message names field and limit."""
    big = tmp_path / "big.png"
    big.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40_000_000)
    async with InspectionPool(MediaLimits(), replace(LIMITS, memory_bytes=30_000_000)) as pool:
        with pytest.raises(InspectionFailed, match=r"^img_urls\[0\]: its inspection needs more than 30 MB of memory"):
            await pool.inspect(big, "img_urls[0]")
        assert pool.pids == []


async def test_an_inspection_ends_with_its_processor_time(video: Path) -> None:
    """The kernel ends the child; the message names field and limit."""
    # A limit below what the child's start has taken: it ends at the next tick after its first second.
    async with InspectionPool(MediaLimits(), replace(LIMITS, cpu_seconds_max=-1)) as pool:
        with pytest.raises(InspectionFailed, match=r"^video_urls\[0\]: its inspection needs more than -1 s of proc"):
            await _inspect_for_ever(pool, video)
        assert pool.pids == []


async def test_a_compressed_header_is_refused_before_libav_expands_it(pool: InspectionPool, tmp_path: Path) -> None:
    """A QuickTime file of a few kilobytes can announce a header of gigabytes."""
    packed = zlib.compress(b"\0" * 1_000_000)
    cmvd = box(b"cmvd", struct.pack(">I", 4_000_000_000) + packed)
    header = box(b"moov", box(b"cmov", box(b"dcom", b"zlib") + cmvd))
    file = tmp_path / "in.mov"
    file.write_bytes(box(b"ftyp", b"qt  \0\0\0\0qt  ") + header + box(b"mdat", b"\0" * 100))
    with pytest.raises(MediaRejected, match=r"^video_urls\[0\]: the file has a compressed header \(cmov\)"):
        await pool.inspect(file, "video_urls[0]")
    assert len(pool.pids) == 1


def box(kind: bytes, body: bytes) -> bytes:
    """A box of a QuickTime file."""
    return struct.pack(">I", 8 + len(body)) + kind + body


async def _inspect_for_ever(pool: InspectionPool, video: Path) -> None:
    while True:
        await pool.inspect(video, "video_urls[0]")


async def test_marks_are_read_in_a_child(pool: InspectionPool, video: Path, tmp_path: Path) -> None:
    """Of any file, and the same child inspects media afterwards."""
    (tmp_path / "text").write_text("no media")
    assert await pool.read_marks(tmp_path / "text") == {"layers": [], "generated": None}
    assert (await pool.inspect(video, "video_urls[0]")).duration_seconds == pytest.approx(2.0)


async def test_a_reply_that_is_too_long_refuses_the_file(
    pool: InspectionPool, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child, whose socket cannot be read any more, is replaced."""
    monkeypatch.setattr(child_socket, "LINE_BYTES_MAX", 64)
    with pytest.raises(InspectionFailed, match=r"^video_urls\[0\]: its metadata is too long"):
        await pool.inspect(video, "video_urls[0]")
    assert pool.pids == []
