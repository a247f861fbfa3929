"""The inputs of a shot have one declaration; API, command line, client and console offer the same ones."""

import inspect
from typing import Any

import pytest
import typer

from bodydouble.api.inputs import INPUTS
from bodydouble.cli import app
from bodydouble.console.form_fields import form_fields
from bodydouble.renderers.shot_inputs import shot_inputs
from bodydouble.tasks.catalogue import CATALOGUE, ModelSpec
from bodydouble_client import ReplaceOptions

FILES = ["img_urls", "video_urls"]
COMMANDS = {"replace": "replace", "animate": "move"}


@pytest.mark.parametrize("model", CATALOGUE.values(), ids=lambda model: model.mode)
def test_every_input_is_offered_everywhere(model: ModelSpec) -> None:
    """Each input has the same name, default and help in the API's schema, the form, the client and the command."""
    specs = {spec.api_name: spec for spec in shot_inputs(model.mode)}
    assert {"resolution", "person", "keep_audio", "renderer"} <= specs.keys()
    schema = INPUTS[model.name].model_json_schema()
    assert [*schema["properties"]] == FILES + [*specs]
    assert [field.name for field in form_fields(schema)] == FILES + [*specs]
    assert specs.keys() - {"resolution"} <= ReplaceOptions.__annotations__.keys()
    group: Any = typer.main.get_command(app)
    command = group.commands[COMMANDS[model.mode]]
    flags = {flag: p for p in command.params for flag in p.opts}
    for name, spec in specs.items():
        assert schema["properties"][name]["default"] == spec.default
        assert schema["properties"][name]["description"] == spec.help
        assert flags[f"--{name.replace('_', '-')}"].help.startswith(spec.help.partition(":")[0])
        assert name == "person" or flags[f"--{spec.flag}"].default == spec.default


def test_the_form_leaves_out_what_no_renderer_uses() -> None:
    """With the puppet alone there is no prompt; with wan alone no hands; without any renderer every field is shown."""
    schema = INPUTS["wan/2-2-animate-replace"].model_json_schema()

    def names(*renderers: str) -> set[str]:
        return {field.name for field in form_fields(schema, renderers)}

    assert "hands" in names("puppet")
    assert "prompt" not in names("puppet")
    assert "hands" not in names("wan")
    assert {"hands", "prompt"} <= names()


def test_choices_are_accepted_in_any_case() -> None:
    """``480p`` and ``KEEP`` mean 480P and keep."""
    inputs: Any = INPUTS["wan/2-2-animate-replace"].model_validate(
        {"img_urls": ["https://a.b/c.png"], "video_urls": ["https://a.b/c.mp4"], "resolution": "480p", "hands": "KEEP"}
    )
    assert (inputs.resolution, inputs.hands) == ("480P", "keep")


def test_the_methods_of_the_client_take_the_options() -> None:
    """``run``, ``submit``, ``subscribe`` and ``estimate`` accept every declared input as a keyword."""
    from bodydouble_client import Client

    for method in (Client.run, Client.submit, Client.subscribe, Client.estimate):
        parameters = inspect.signature(method).parameters
        assert "resolution" in parameters
        assert "ReplaceOptions" in str(parameters["options"].annotation)
