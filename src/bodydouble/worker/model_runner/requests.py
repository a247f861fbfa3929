"""Performs a request on one rank."""

from typing import Protocol, assert_never

from bodydouble.renderers.wan.engine import Engine, StepReport
from bodydouble.renderers.wan.messages import Generate, RankRequest, Rest, SetCharacter
from bodydouble.renderers.wan.wire import Pictures


class ResidentEngine(Engine, Protocol):
    """An engine that stays loaded between jobs."""

    def rest(self) -> None:
        """End the job: forget its character, and free all memory that the networks do not need."""
        ...


def perform(engine: ResidentEngine, request: RankRequest, pictures: Pictures, report: StepReport) -> Pictures:
    """Perform one request. Returns the arrays of the reply. Raises what the engine raises."""
    match request:
        case SetCharacter():
            engine.set_character(request.spec(pictures))
            return {}
        case Generate():
            return {"frames": engine.generate(request.segment_request(pictures), report)}
        case Rest():
            engine.rest()
            return {}
        case _:
            assert_never(request)
