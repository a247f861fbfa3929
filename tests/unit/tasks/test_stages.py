"""One list of stages for everybody who names them."""

from bodydouble.api.crun.response_models import StageData, TaskInfoData
from bodydouble.cli.progress import STAGE_TEXTS as TERMINAL_TEXTS
from bodydouble.console.formatting import STAGES as CONSOLE_TEXTS
from bodydouble.renderers.plugin import STAGES as SHOT_STAGES
from bodydouble.tasks.stages import Stage


def test_the_api_documents_every_stage() -> None:
    """The description of TaskInfo lists exactly the stages that a task goes through, in order."""
    for model in (TaskInfoData, StageData):
        assert model.model_json_schema()["$defs"]["Stage"]["enum"] == list(Stage)


def test_every_stage_has_a_text() -> None:
    """The console and the terminal describe the same stages, in order."""
    assert list(CONSOLE_TEXTS) == list(TERMINAL_TEXTS) == list(Stage)


def test_progress_is_shared_out_over_the_stages_of_a_shot() -> None:
    """A shot's stages are those of a task between fetching the inputs and the end."""
    assert list(SHOT_STAGES) == list(Stage)[2:-1]
