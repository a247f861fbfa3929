"""The frame size at which a shot is processed and delivered."""

ROUNDING_SLACK = 1e-6
"""Pixels. Keeps an even length that floating-point arithmetic puts slightly below its value."""


def working_size(width: int, height: int, short_side_max: int) -> tuple[int, int]:
    """Even width and height in pixels; the short side is at most ``short_side_max``. Never enlarges.

    The long side is the even length that keeps the aspect ratio best.
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
    """The largest even number not above ``length``, at least 2."""
    return max(2, int((length + ROUNDING_SLACK) // 2) * 2)
