"""The size at which a shot is worked on and delivered."""


def working_size(width: int, height: int, short_side_max: int) -> tuple[int, int]:
    """Width and height with a short side of at most ``short_side_max``, even, aspect kept, never enlarged."""
    zoom = min(1.0, short_side_max / min(width, height))

    def even(n: float) -> int:
        return max(2, round(n / 2) * 2)

    if width <= height:
        w = even(width * zoom)
        return w, even(height * w / width) if zoom < 1 else even(height)
    h = even(height * zoom)
    return even(width * h / height) if zoom < 1 else even(width), h
