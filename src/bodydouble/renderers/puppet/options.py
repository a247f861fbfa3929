"""Options of the puppet renderer that a task can choose."""

from dataclasses import dataclass

from bodydouble.renderers.options import option


@dataclass(frozen=True, kw_only=True)
class PuppetOptions:
    """What a caller may choose."""

    hands: str = option(
        "keep", "keep: the actor's own hands, recoloured; puppet: the character's.",
        choices=("keep", "puppet"),
    )  # fmt: skip
    size: str = option(
        "height", "height: as tall as the actor; own: in proportion to the actor's head.",
        label="Size of the character", choices=("height", "own"),
    )  # fmt: skip
