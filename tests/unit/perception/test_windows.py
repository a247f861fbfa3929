import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bodydouble.perception.windows import pack_mattes, unpack_mattes


@settings(deadline=None, max_examples=30)
@given(st.lists(arrays(np.uint8, (9, 13), elements=st.sampled_from([0, 0, 0, 1, 128, 255])), min_size=1, max_size=4))
def test_packing_loses_nothing(mattes: list[np.ndarray]):
    """Mattes come back to the last bit, empty ones too."""
    back = list(unpack_mattes(pack_mattes(mattes), 13, 9, range(len(mattes))))

    assert all(np.array_equal(a, b) for a, b in zip(mattes, back, strict=True))
