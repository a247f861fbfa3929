import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bodydouble.perception.matte import BoxedMatte
from bodydouble.perception.windows import pack_mattes, unpack_mattes


@settings(deadline=None, max_examples=30)
@given(st.lists(st.none() | arrays(np.uint8, (4, 6)), min_size=1, max_size=4))
def test_packing_loses_nothing(pixels: list[np.ndarray | None]):
    """Mattes come back to the last bit, at the size of the frame; where there is nobody all is zero."""
    mattes = [None if p is None else BoxedMatte(box=(1, 0, 13, 8), pixels=p) for p in pixels]

    back = list(unpack_mattes(pack_mattes(mattes), 13, 9, range(len(mattes))))

    for matte, whole in zip(mattes, back, strict=True):
        assert whole.shape == (9, 13)
        assert np.array_equal(whole, np.zeros((9, 13)) if matte is None else matte.spread(13, 9))


def test_a_matte_is_spread_over_its_box_alone():
    """Pixels of half the box's size cover the box; beyond it all is zero."""
    whole = BoxedMatte(box=(2, 1, 8, 5), pixels=np.full((2, 3), 200, np.uint8)).spread(10, 7)

    assert (whole[1:5, 2:8] == 200).all()
    assert whole.sum() == 200 * 24
