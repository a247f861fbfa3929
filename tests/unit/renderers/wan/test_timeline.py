"""Which frames the model is given, and which of its frames are kept."""

import numpy as np
import pytest

from bodydouble.renderers.wan.timeline import plan_spans


@pytest.mark.parametrize("carried", [1, 5])
@pytest.mark.parametrize("frames", [1, 2, 13, 14, 40, 78])
def test_every_frame_is_kept_once(frames: int, carried: int) -> None:
    """Segments follow each other without a gap, and no span is longer than it must be for 4n + 1."""
    spans = plan_spans(np.zeros(frames, np.int32), 13, carried)
    kept = [i for span in spans for i in range(span.segment.start, span.segment.stop)]
    assert kept == list(range(frames))
    for span in spans:
        shown = span.segment.stop - span.first
        assert span.length % 4 == 1
        assert 0 <= span.length - shown < 4
        assert span.length <= 13
    assert [span.carried for span in spans] == [0] + [carried] * (len(spans) - 1)


def test_nothing_is_carried_over_a_cut() -> None:
    """After a cut the model starts afresh, with the first frame of the new shot."""
    spans = plan_spans(np.array([0] * 20 + [1] * 6, np.int32), 13, 1)
    assert [(s.first, s.segment.stop, s.carried, s.length) for s in spans] == [
        (0, 13, 0, 13),
        (12, 20, 1, 9),
        (20, 26, 0, 9),
    ]
