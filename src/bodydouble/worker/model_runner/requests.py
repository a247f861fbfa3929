"""What every rank does for a request."""

from typing import Any, Protocol

from bodydouble.renderers.wan.engine import Casting, Engine, Sampling, StepReport, Take
from bodydouble.renderers.wan.footage import SegmentVideo
from bodydouble.renderers.wan.wire import Pictures


class ResidentEngine(Engine, Protocol):
    """An engine that outlives its jobs."""

    def rest(self) -> None:
        """The job is over: forget its character, and leave to others whatever memory is not the networks'."""
        ...


def perform(engine: ResidentEngine, message: dict[str, Any], pictures: Pictures, report: StepReport) -> Pictures:
    """One request that all ranks perform. Raises what the engine raises."""
    match message["op"]:
        case "cast":
            words = message["casting"] | {"picture": pictures["picture"]}
            engine.cast(Casting(**words | {"sampling": Sampling(**words["sampling"])}))
        case "generate":
            video = SegmentVideo(
                pose=pictures["pose"],
                face=pictures["face"],
                background=pictures.get("background"),
                mask=pictures.get("mask"),
            )
            take = Take(video=video, carried=pictures.get("carried"), seed=message["seed"], index=message["index"])
            return {"frames": engine.generate(take, report)}
        case "rest":
            engine.rest()
        case unknown:
            raise ValueError(f"unknown request {unknown}")
    return {}
