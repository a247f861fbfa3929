"""Chapters and timecode of the result."""

import re
from fractions import Fraction
from typing import Any

TIMECODE = "timecode"
"""libav's metadata key for the timecode of the first frame; Matroska has it in capitals."""
TIMECODE_FORM = re.compile(r"\d\d:\d\d:\d\d[:;.](\d\d)")
"""Hours, minutes, seconds, frames; the last separator is a colon unless frame numbers are dropped."""
DROP_RATES = (Fraction(30_000, 1001), Fraction(60_000, 1001))
"""Frames/s of the rates for which drop-frame timecode is defined (SMPTE ST 12-1)."""


def copy_chapters(original: Any, result: Any, offset: Fraction) -> None:
    """Give ``result`` the chapters of ``original``, from ``offset`` seconds on."""
    kept = [
        {**chapter, "start": max(0, chapter["start"] - shift), "end": chapter["end"] - shift}
        for chapter in original.chapters()
        if chapter["time_base"] and chapter["end"] > (shift := round(offset / chapter["time_base"]))
    ]
    if kept:
        result.set_chapters(kept)


def find_timecode(container: Any) -> str | None:
    """The timecode at which the recording starts, such as ``01:02:03:04``."""
    for metadata in (container.metadata, *(stream.metadata for stream in container.streams)):
        for key in (TIMECODE, TIMECODE.upper()):
            if metadata.get(key):
                return str(metadata[key])
    return None


def is_storable(timecode: str, frame_rate: Fraction) -> bool:
    """Whether MP4 can store this timecode for a video of ``frame_rate`` frames/s."""
    form = TIMECODE_FORM.fullmatch(timecode)
    if form is None or int(form[1]) >= round(frame_rate):
        return False
    return timecode[8] == ":" or any(abs(frame_rate / rate - 1) < Fraction(1, 1000) for rate in DROP_RATES)


def copy_timecode(original: Any, video: Any, frame_rate: Fraction) -> None:
    """Give the output stream ``video`` the timecode of ``original``, if it has one that MP4 can hold."""
    timecode = find_timecode(original)
    if timecode is not None and is_storable(timecode, frame_rate):
        video.codec_context.framerate = frame_rate  # libav counts frames of the timecode with it
        video.metadata[TIMECODE] = timecode
