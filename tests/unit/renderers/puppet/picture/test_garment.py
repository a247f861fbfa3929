"""Where a skirt, dress or robe ends."""

import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.puppet.body.fit import fit_body
from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.garment import garment_hem, legs_mask
from mannequin import joints, track_of
from tube_body import tube_body

HEM, SIZE = 370, (500, 500)


def hem_of(
    skirt: NDArray[np.bool_], apart: float = 15, leg: tuple[int, int, int] = (225, 180, 150), edge: int = SIZE[0]
) -> float | None:
    """The hem of a ``skirt`` (h, w) over the mannequin's legs: bare, or of the colour ``leg``; ``apart`` in px.

    ``edge`` is the picture's lower one.
    """
    pose = joints()
    pose[[25, 27], 0] += apart
    pose[[26, 28], 0] -= apart
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, SIZE))
    legs = np.any(list(legs_mask(fit, template, SIZE).values()), axis=0)
    image = np.where(skirt[..., None], (40, 70, 160), leg).astype(np.uint8)
    cloth = skirt | legs
    cloth[edge:] = False
    bare = legs & ~skirt & (leg == (225, 180, 150))
    return garment_hem(image, cloth, bare, ~cloth, edge, fit, template)


def test_a_hem_is_where_the_gap_between_the_legs_is_seen() -> None:
    """A skirt ends at its hem, however long the legs below it are."""
    skirt = np.zeros(SIZE, np.bool_)
    skirt[250:HEM, 190:310] = True
    hem = hem_of(skirt)
    assert hem is not None
    assert HEM - 2 < hem < HEM + 8


def test_a_slanted_hem_ends_at_its_lowest_point() -> None:
    """No strip of a skirt that is longer at one side is left to the legs."""
    skirt = np.zeros(SIZE, np.bool_)
    skirt[250:HEM, 190:310] = True
    skirt[HEM : HEM + 12, 250:310] = True
    hem = hem_of(skirt)
    assert hem is not None
    assert HEM + 10 < hem < HEM + 20


def test_wide_pockets_of_legs_that_touch_are_no_skirt() -> None:
    """Where no gap shows, cloth that stands off for some rows, and goes on below in its own colour, is trousers'."""
    pockets = np.zeros(SIZE, np.bool_)
    pockets[330:HEM, 185:315] = True
    assert hem_of(pockets, apart=-20, leg=(40, 70, 160)) is None


def test_a_skirt_over_tights_of_its_colour_is_a_skirt() -> None:
    """It stands off the legs from the crotch on."""
    skirt = np.zeros(SIZE, np.bool_)
    skirt[250:HEM, 185:315] = True
    assert hem_of(skirt, apart=-20, leg=(40, 70, 160)) is not None


def test_a_short_skirt_is_wider_than_the_legs_and_shorts_are_not() -> None:
    """Both end less than a hand's length below the crotch."""
    rows = np.zeros(SIZE, np.bool_)
    rows[250:300] = True
    skirt, shorts = rows.copy(), rows.copy()
    skirt[:, :170] = skirt[:, 330:] = False
    shorts[:, :204] = shorts[:, 296:] = False
    assert hem_of(skirt, apart=2) is not None
    assert hem_of(shorts, apart=2) is None


def test_wide_rows_near_the_edge_do_not_hide_a_dress() -> None:
    """Where the picture ends below the hips in one colour, two wide rows, as of a fold, are no hem."""
    dress = np.zeros(SIZE, np.bool_)
    dress[100:, 206:294] = True
    assert hem_of(dress, apart=-20, leg=(40, 70, 160), edge=320) is not None
    dress[308:310, 170:330] = True
    assert hem_of(dress, apart=-20, leg=(40, 70, 160), edge=320) is not None


def test_a_robe_on_the_floor_ends_there() -> None:
    """Nothing below the ankles is narrower than the robe: still it is none of trousers' crotches."""
    robe = np.zeros(SIZE, np.bool_)
    robe[250:458, 180:320] = True
    hem = hem_of(robe, leg=(40, 70, 160))
    assert hem is not None
    assert 455 < hem < 468
