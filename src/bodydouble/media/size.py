"""The size at which a shot is worked on and delivered."""


def working_size(width: int, height: int, short_side_max: int) -> tuple[int, int]:
    """Width and height, even, with a short side of at most ``short_side_max``, never enlarged.

    Of the even sizes around the exact one, the one whose aspect comes nearest to the source's.
    """
    zoom = min(1.0, short_side_max / min(width, height))
    short, long = min(width, height), max(width, height)
    scaled_short = _even_below(short * zoom)
    exact = scaled_short * long / short
    below = _even_below(exact)
    above = min(below + 2, _even_below(long))
    scaled_long = min((below, above), key=lambda n: abs(n - exact))
    return (scaled_short, scaled_long) if width <= height else (scaled_long, scaled_short)


def _even_below(length: float) -> int:
    """The largest even number that is not above ``length``, at least 2; forgives rounding of a hair."""
    return max(2, int((length + 1e-6) // 2) * 2)
