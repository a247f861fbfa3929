"""Tests of ``bodydouble.media.sample_clock``: exact positions from rounded times."""

from fractions import Fraction

import pytest

from bodydouble.media.sample_clock import SampleClock, opus_samples

MILLISECOND = Fraction(1, 1000)


def test_packets_that_follow_each_other_do_so_exactly() -> None:
    """Times rounded to milliseconds give positions 1024 samples apart, from the encoder delay on."""
    clock = SampleClock(44_100, MILLISECOND, Fraction(0))
    positions: list[int] = []
    for n in range(6):
        exact = (-1024 + 1024 * n) / 44_100
        positions.append(clock.position(round(exact * 1000), 1024 if n == 0 else 0))
        clock.expect(positions[-1] + 1024)
    assert positions == [-1024, 0, 1024, 2048, 3072, 4096]


def test_gaps_and_offsets_stay() -> None:
    """A gap of 50 ms is not closed, and the offset is subtracted."""
    clock = SampleClock(48_000, MILLISECOND, Fraction(36_000))
    assert clock.position(36_000_500, 0) == 24_000
    clock.expect(24_960)
    assert clock.position(36_000_570, 0) == 27_360


@pytest.mark.parametrize(
    ("head", "samples"), [(b"\x78\0", 960), (b"\x79\0", 1920), (b"\x7b\x03", 2880), (b"\x08", 960)]
)
def test_opus_packets_say_how_long_they_are(head: bytes, samples: int) -> None:
    """Configuration and frame count give the length: one, two and three frames of 20 ms, and SILK."""
    assert opus_samples(head) == samples
