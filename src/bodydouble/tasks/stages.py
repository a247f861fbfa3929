"""The stages of a task's work, under the names that database, API and metrics use.

The texts for people are in ``cli.progress.STAGE_TEXTS`` and ``console.formatting.STAGES``.
"""

import enum


class Stage(enum.StrEnum):
    """Where a task is, in order. The values are stored and sent: they never change."""

    QUEUED = "queued"  # waiting for a worker
    FETCH = "fetch"  # copying both inputs into the task's workspace
    PROBE = "probe"  # checking the inputs and reserving the exact price
    PERCEIVE = "perceive"  # finding and tracking the person
    PREPARE = "prepare"  # the renderer's work for the whole shot
    RENDER = "render"  # one segment after the other
    MUX = "mux"  # joining the segments and the sound, storing the result
    DONE = "done"  # finished with success; a task that failed keeps the stage in which it failed
