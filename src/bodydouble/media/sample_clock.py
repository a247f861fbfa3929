"""Exact sample positions of audio packets in containers that round their times."""

from fractions import Fraction
from typing import Any

AC3_FRAME_SAMPLES = 1536
"""Samples of an AC-3 frame, and of an E-AC-3 frame of six blocks (ETSI TS 102 366)."""
FRAME_SAMPLES = {"ac3": AC3_FRAME_SAMPLES, "eac3": AC3_FRAME_SAMPLES}
"""Codecs whose frame size libav does not report."""
OPUS_RATE_HZ = 48_000
OPUS_CONFIG_SAMPLES = (
    *(480, 960, 1920, 2880) * 3,  # SILK
    *(480, 960) * 2,  # hybrid
    *(120, 240, 480, 960) * 4,  # CELT
)
"""Samples at 48 kHz of one Opus frame by configuration number (RFC 6716, table 2)."""


class SampleClock:
    """Positions in samples for times in ticks.

    Matroska and FLV round to milliseconds. Where a packet lies within one tick of the end of the one before, it follows
    it exactly.

    ``rate`` is in Hz; ``time_base`` and ``offset``, which becomes position 0, are in seconds.
    """

    def __init__(self, rate: int, time_base: Fraction, offset: Fraction) -> None:
        self._rate, self._time_base, self._offset = rate, time_base, offset
        self._slack = time_base * rate
        self._expected: int | None = None

    def position(self, ticks: int, skipped: int) -> int:
        """The position of a packet; the first ``skipped`` samples of the track's first packet are not played."""
        exact = (ticks * self._time_base - self._offset) * self._rate
        # The first packet has nothing to follow; a track that starts with the file starts there exactly.
        expected = -skipped if self._expected is None else self._expected
        return expected if abs(exact - expected) <= self._slack else round(exact)

    def expect(self, position: int) -> None:
        """State where the next packet starts if there is no gap."""
        self._expected = position

    def length(self, packet: Any, frame_samples: int, codec: str, padding: int) -> int:
        """Played samples of a packet, from its codec if its declared duration agrees, else from the duration.

        ``frame_samples`` is libav's frame size, 0 if unknown. The last ``padding`` samples are not played.
        """
        declared = (packet.duration or 0) * self._time_base * self._rate
        if codec == "opus":
            known = opus_samples(bytes(packet)[:2]) * self._rate // OPUS_RATE_HZ
        else:
            known = frame_samples or FRAME_SAMPLES.get(codec, 0)
        played = max(0, known - padding)
        # Some containers count the padding in the duration, others do not.
        agrees = not declared or any(abs(declared - n) <= self._slack for n in (known, played))
        return played if known and agrees else round(declared)


def opus_samples(head: bytes) -> int:
    """Samples at 48 kHz of the Opus packet that starts with these two bytes (RFC 6716, section 3.1)."""
    code = head[0] & 3
    frames = (head[1] & 63 if len(head) > 1 else 0) if code == 3 else (1, 2, 2)[code]
    return OPUS_CONFIG_SAMPLES[head[0] >> 3] * frames
