"""One request for a task in each dialect, and a task as each dialect shows it."""

from collections.abc import Callable, Mapping

from bodydouble.api.crun.wire import parse_submission
from bodydouble.api.dashscope.documents import task_output
from bodydouble.api.dashscope.models import parse as parse_dashscope
from bodydouble.api.fal.documents import failure_document, result_document, status_document
from bodydouble.api.fal.models import ENDPOINTS
from bodydouble.api.fal.models import parse as parse_fal
from bodydouble.api.kie.documents import record
from bodydouble.api.kie.models import parse as parse_kie
from bodydouble.api.replicate.documents import prediction_document
from bodydouble.api.replicate.inputs import parse as parse_replicate
from bodydouble.api.replicate.names import MODELS
from bodydouble.api.wavespeed.documents import prediction
from bodydouble.api.wavespeed.models import AnimateInput as WavespeedInput
from bodydouble.api.wavespeed.models import parse as parse_wavespeed
from bodydouble.service import Submission, TaskView
from bodydouble.service.document import task_data
from bodydouble.tasks.task import TaskStatus

IMAGE, VIDEO, HERE = "https://example.com/i.png", "https://example.com/v.mp4", "http://here"


def _crun(callback: str | None) -> Submission:
    inputs = {"img_urls": [IMAGE], "video_urls": [VIDEO]}
    body = {"model": "wan/2-2-animate-replace", "input": inputs, "callback_url": callback}
    return parse_submission({name: value for name, value in body.items() if value is not None})


def _fal(callback: str | None) -> Submission:
    return parse_fal(next(iter(ENDPOINTS)), {"video_url": VIDEO, "image_url": IMAGE}, {}, callback)


def _replicate(callback: str | None) -> Submission:
    inputs = {"video": VIDEO, "character_image": IMAGE}
    return parse_replicate(next(iter(MODELS)), {"input": inputs, "webhook": callback})


def _dashscope(callback: str | None) -> Submission:
    inputs = {"image_url": IMAGE, "video_url": VIDEO}
    body = {"model": "wan2.2-animate-mix", "input": inputs, "parameters": {"mode": "wan-std"}}
    return parse_dashscope(body, HERE)


def _kie(callback: str | None) -> Submission:
    inputs = {"image_url": IMAGE, "video_url": VIDEO, "resolution": "480p"}
    body = {"model": "wan/2-2-animate-replace", "callBackUrl": callback, "input": inputs}
    return parse_kie({name: value for name, value in body.items() if value is not None})


def _wavespeed(callback: str | None) -> Submission:
    body = WavespeedInput.model_validate({"image": IMAGE, "video": VIDEO, "mode": "replace"})
    return parse_wavespeed(body, {"webhook": callback} if callback else {})


REQUESTS: Mapping[str, Callable[[str | None], Submission]] = {
    "crun": _crun,
    "fal": _fal,
    "replicate": _replicate,
    "dashscope": _dashscope,
    "kie": _kie,
    "wavespeed": _wavespeed,
}
"""Dialect → its request with this callback address, if the dialect has callbacks."""


def show_everywhere(view: TaskView) -> None:
    """Make the document of a task in every dialect, whichever asked for it."""
    assert task_data(view)["task_id"] == str(view.task.id)
    assert prediction_document(view, HERE)["id"] == str(view.task.id)
    assert status_document(view, HERE, with_logs=True)["request_id"] == str(view.task.id)
    assert record(view)["taskId"] == str(view.task.id)
    assert prediction(view, HERE)["id"] == str(view.task.id)
    assert task_output(view)["task_id"] == str(view.task.id)
    if view.task.status is TaskStatus.SUCCESS:
        assert "video" in result_document(view)
    if view.task.status is TaskStatus.FAILED:
        assert failure_document(view.task)["detail"]
