"""A validated request for a task."""

from bodydouble.renderers.shot_inputs import VIDEO_INPUT, picture_input
from bodydouble.service.inputs import FILE_FIELDS
from bodydouble.tasks.catalogue import CATALOGUE


def test_the_fields_with_files_are_those_of_every_model() -> None:
    """Whatever stores, prices or downloads files finds each of them under its name in a request."""
    for model in CATALOGUE.values():
        assert (picture_input(model.mode).api_name, VIDEO_INPUT.api_name) == FILE_FIELDS
