import numpy as np
import pytest

from bodydouble.perception.arrays import Image
from bodydouble.renderers.puppet.picture.bars import without_bars

HEIGHT, WIDTH = 200, 160


def a_photograph() -> Image:
    """Noise that covers everything."""
    return np.random.default_rng(0).integers(60, 200, (HEIGHT, WIDTH, 3)).astype(np.uint8)


def test_a_photograph_without_bars_stays_as_it_is():
    """Nothing is cut off a picture that reaches to its edges."""
    picture = a_photograph()

    assert without_bars(picture).shape == picture.shape


@pytest.mark.parametrize("level", [0, 26, 255])
def test_bars_of_one_colour_go(level: int):
    """Black bars above and below go, and so does a white frame on all sides."""
    picture = a_photograph()
    framed = np.pad(picture, ((40, 30), (20, 20), (0, 0)), constant_values=level)

    shown = without_bars(framed)

    assert np.array_equal(shown, picture[2:-2, 2:-2])


def test_a_bar_beside_another_and_writing_on_them_go():
    """A screenshot's own bar, with a line of writing, lies beside the picture's."""
    picture = a_photograph()
    screenshot = np.pad(picture, ((0, 60), (0, 0), (0, 0)), constant_values=26)
    screenshot[-25:] = 0
    screenshot[-15:-9, 20:60:3] = 220

    assert np.array_equal(without_bars(screenshot), picture[:-2])


def test_a_wall_before_which_somebody_stands_is_no_bar():
    """A wall of one colour ends in a straight line at the floor, but the person crosses that line."""
    picture = np.full((HEIGHT, WIDTH, 3), 230, np.uint8)
    picture[140:] = 90
    picture[40:180, 75:85] = (200, 40, 40)

    assert without_bars(picture).shape == picture.shape


def test_an_empty_ground_is_no_bar():
    """A drawing on white paper has no straight line beside the person."""
    picture = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    picture[50:150, 60:100] = (40, 40, 200)

    assert without_bars(picture).shape == picture.shape


def test_a_thin_line_at_the_edge_stays():
    """It does no harm, and without it the networks would see another picture."""
    picture = np.pad(a_photograph(), ((0, 0), (0, 2), (0, 0)), constant_values=255)

    assert without_bars(np.tile(picture, (1, 3, 1))).shape[1] == 3 * picture.shape[1]
