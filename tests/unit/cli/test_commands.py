"""Messages and exit status of the commands."""

import json
import os
import socket

import pytest
from typer.testing import CliRunner

from bodydouble import __version__
from bodydouble.bootstrap.demo_material import SAMPLE_RATE_HZ, melody
from bodydouble.cli import app
from bodydouble.cli.data_folder import locked
from bodydouble.cli.machine_checks import check_machine
from bodydouble.cli.shot_inputs import parse_person
from bodydouble.settings import Settings
from material import astronaut, landscape, write_image, write_video


def invoke(*arguments: object):
    """Run the command; whatever happens, there is no traceback for the user."""
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert "Traceback" not in result.output
    return result


def test_version():
    """--version names the program and its version."""
    result = invoke("--version")
    assert (result.exit_code, result.output.strip()) == (0, f"bodydouble {__version__}")


@pytest.mark.parametrize("command", ["serve", "worker", "replace", "move", "demo", "eval", "inspect", "doctor"])
def test_every_command_shows_an_example(command):
    """--help of a command has an example that can be copied."""
    result = invoke(command, "--help")
    assert result.exit_code == 0
    assert f"bodydouble {command}" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.png", "missing.mp4", "-o", "out.mp4"], "IMAGE: there is no file missing.png"),
        (["a.png", "a.png", "-o", "out.avi"], "must end in .mp4"),
        (["a.png", "a.png", "-o", "nowhere/out.mp4"], "there is no folder nowhere"),
        (["a.png", "a.png", "-o", "there.mp4"], "--force"),
        (["a.png", "a.png", "-o", "out.mp4", "--resolution", "4K"], "480P, 580P, 720P"),
        (["a.png", "a.png", "-o", "out.mp4", "--person", "tall"], "--person: tall is neither"),
        (["a.png", "a.png", "-o", "out.mp4", "--person", "2,3"], "--person: 2,3 is neither"),
        (["a.png", "a.png", "-o", "out.mp4", "--hands", "gloves"], "none of keep, puppet"),
    ],
)
def test_wrong_arguments_are_one_clear_line(arguments, message, tmp_path, monkeypatch):
    """Status 2 and a line that names the option."""
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "a.png", astronaut())
    (tmp_path / "there.mp4").touch()
    result = invoke("replace", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("name", ["a.mp4", "link.mp4", "hard.mp4"])
@pytest.mark.parametrize("command", ["replace", "move"])
def test_an_input_is_never_overwritten(name, command, tmp_path, monkeypatch):
    """Not even with --force, and not under another name of the same file."""
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "a.png", astronaut())
    (tmp_path / "a.mp4").write_bytes(b"the only copy")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "a.mp4")
    os.link(tmp_path / "a.mp4", tmp_path / "hard.mp4")
    result = invoke(command, "a.png", "a.mp4", "-o", name, "--force")
    assert (result.exit_code, f"--output: {name} is the file of VIDEO" in result.stderr) == (2, True)
    result = invoke(command, "a.png", "a.mp4", "-o", "out.mp4", "--compare", "a.png", "--force")
    assert (result.exit_code, "--compare: a.png is the file of IMAGE" in result.stderr) == (2, True)
    assert (tmp_path / "a.mp4").read_bytes() == b"the only copy"


def test_an_inspection_does_not_overwrite_its_video(tmp_path):
    """The output is compared with the video by file identity."""
    video = tmp_path / "a.jpg"
    video.write_bytes(b"the only copy")
    result = invoke("inspect", video, "-o", video, "--force")
    assert (result.exit_code, "is the file of VIDEO" in result.stderr) == (2, True)


def test_a_picture_as_video_is_refused_in_one_line(tmp_path, model_pack, monkeypatch):
    """The probe's message is printed unchanged."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("BODYDOUBLE_MODELS", str(model_pack.folder))
    image = write_image(tmp_path / "a.png", astronaut())
    result = invoke("replace", image, image, "-o", tmp_path / "out.mp4")
    assert result.exit_code == 2
    assert "error: video: " in result.stderr
    assert not (tmp_path / "out.mp4").exists()


def test_a_move_without_the_renderer_for_it_says_what_to_install(tmp_path, model_pack, monkeypatch):
    """The puppet cannot animate a picture: one line with the command that helps, and no file."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("BODYDOUBLE_MODELS", str(model_pack.folder))
    image = write_image(tmp_path / "a.png", astronaut())
    video = write_video(tmp_path / "v.mp4", landscape(26))
    result = invoke("move", image, video, "-o", tmp_path / "out.mp4")
    assert result.exit_code == 1
    assert "wan does not run here" in result.stderr
    assert "install" in result.stderr
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    ("picture", "message"),
    [("v.mp4", "must end in .jpg"), ("there.jpg", "--force"), ("nowhere/out.jpg", "there is no folder nowhere")],
)
def test_the_picture_of_people_replaces_no_other_file(picture, message, tmp_path, monkeypatch):
    """Neither the video itself, nor, without --force, an existing picture."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.jpg").write_text("mine")
    (tmp_path / "v.mp4").write_text("mine too")
    result = invoke("people", "v.mp4", "--picture", picture)
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
    assert [(tmp_path / name).read_text() for name in ("there.jpg", "v.mp4")] == ["mine", "mine too"]


def test_people_are_chosen_by_size_or_by_point():
    """--person accepts largest, an index, or a point."""
    assert parse_person("largest") == (None, 0)
    assert parse_person("2") == (None, 2)
    assert parse_person("0.25,0.5") == ((0.25, 0.5), 0)


def test_a_port_in_use_is_one_clear_line(tmp_path):
    """serve says what to do before it starts anything."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = invoke("serve", "--data", tmp_path / "data", "--port", port)
    assert result.exit_code == 1
    assert f"127.0.0.1:{port} is in use" in result.stderr
    assert "--port" in result.stderr
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["serve.pid"]


@pytest.mark.parametrize("arguments", [["serve", "--port", "0"], ["worker"]])
def test_what_makes_videos_downloads_missing_models_first(arguments, tmp_path, monkeypatch):
    """Without models every task would fail. With --no-worker or --tasks 0 nothing is downloaded."""
    happened: list[str] = []
    monkeypatch.setattr("bodydouble.cli.serve.install_with_progress", lambda quiet: happened.append("models"))
    monkeypatch.setattr("bodydouble.cli.serve._run", lambda *_, **__: happened.append("run"))
    monkeypatch.setattr("bodydouble.cli.serve.work", lambda _: happened.append("run"))
    invoke(*arguments, "--data", tmp_path)
    assert happened == ["models", "run"]
    happened.clear()
    invoke(*arguments, "--data", tmp_path, *(["--no-worker"] if "serve" in arguments else ["--tasks", "0"]))
    assert happened == ["run"]


def test_a_data_folder_has_one_serve(tmp_path):
    """A second one ends with the folder and the first one's process id; afterwards the folder is free."""
    with locked(tmp_path):
        result = invoke("serve", "--data", tmp_path, "--port", 0)
    assert result.exit_code == 1
    assert f"{tmp_path} is in use by another `serve`, pid {os.getpid()};" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    with locked(tmp_path):
        assert (tmp_path / "serve.pid").read_text() == f"{os.getpid()}\n"


def test_an_impossible_data_folder_is_one_clear_line(tmp_path):
    """The line names the option and the reason."""
    (tmp_path / "file").touch()
    result = invoke("serve", "--data", tmp_path / "file" / "data", "--port", 0)
    assert result.exit_code == 1
    assert "--data: " in result.stderr
    assert "Not a directory" in result.stderr


@pytest.mark.parametrize("amount", ["many", "-5", "nan"])
def test_wrong_credits_are_refused(amount, tmp_path):
    """Credits are an amount of 0 or more."""
    result = invoke("keys", "create", "--credits", amount, "--data", tmp_path / "data")
    assert (result.exit_code, "--credits" in result.stderr) == (2, True)


def test_models_are_listed_for_programs(tmp_path, monkeypatch):
    """--json says which files are missing; the folder is the one of the setting."""
    monkeypatch.setenv("BODYDOUBLE_MODELS", str(tmp_path))
    answer = json.loads(invoke("models", "list", "--json").output)
    assert answer["folder"] == str(tmp_path)
    assert {f["present"] for f in answer["files"]} == {False}
    assert invoke("models", "path").output.strip() == str(tmp_path)


def test_doctor_names_the_remedy(tmp_path, monkeypatch):
    """Without models no video can be made: status 1 and the command to run."""
    monkeypatch.setenv("BODYDOUBLE_MODELS", str(tmp_path))
    result = invoke("doctor", "--data", tmp_path)
    assert result.exit_code == 1
    assert "bodydouble models install" in result.output


def test_doctor_answers_programs(tmp_path, monkeypatch):
    """--json has every finding with its state and remedy; the status is the same."""
    monkeypatch.setenv("BODYDOUBLE_MODELS", str(tmp_path))
    result = invoke("doctor", "--data", tmp_path, "--json")
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["ready"]) == (1, False)
    models = next(f for f in answer["findings"] if f["subject"] == "models")
    assert (models["state"], models["remedy"]) == ("bad", "bodydouble models install")


def test_a_busy_port_does_not_fail_the_doctor(tmp_path):
    """serve can use another port: the finding is a hint."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        settings = Settings(data=tmp_path, port=other.getsockname()[1])
        found = {f.subject: f.state for f in check_machine(settings)}
    assert found["port"] == "absent"


def test_an_invalid_setting_is_named(monkeypatch):
    """An invalid value in the environment ends with status 2 and the setting's name."""
    monkeypatch.setenv("BODYDOUBLE_PORT", "eighty")
    result = invoke("doctor")
    assert result.exit_code == 2
    assert "setting port" in result.stderr


def test_the_shell_completes_the_values_of_options():
    """Completion offers the three values of --resolution."""
    words = {"COMP_WORDS": "bodydouble replace --resolution ", "COMP_CWORD": "3"}
    environment = {"_BODYDOUBLE_COMPLETE": "complete_bash"} | words
    result = CliRunner().invoke(app, [], env=environment, prog_name="bodydouble")
    assert result.output.split() == ["480P", "580P", "720P"]


def test_the_demo_has_a_melody():
    """It has the right length, is not silent and does not clip."""
    wave = melody(2.0)
    assert len(wave) == 2 * SAMPLE_RATE_HZ
    assert 0.05 < abs(wave).max() <= 1
