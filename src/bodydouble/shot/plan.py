"""The result of ``prepare``, stored so that a restart does not load the renderer for finished segments."""

import dataclasses
import json

from bodydouble.renderers.protocol import RenderWarning, Segment


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """The segments of a shot, and the warnings about it."""

    segments: list[Segment]
    warnings: list[RenderWarning]

    def to_json(self) -> str:
        """The plan as JSON text for ``from_json``."""
        return json.dumps(dataclasses.asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """The plan from the text of ``to_json``."""
        data = json.loads(text)
        return cls(
            segments=[Segment(**s) for s in data["segments"]],
            warnings=[RenderWarning(**w) for w in data["warnings"]],
        )
