"""``models``: download and list the perception networks and the weights of the wan renderer."""

from pathlib import Path
from typing import Annotated

import typer

from bodydouble.cli.options import JsonOption
from bodydouble.cli.progress import ProgressDisplay
from bodydouble.cli.settings import load_settings
from bodydouble.cli.terminal import EXIT_USAGE, err, existing_file, fail, make_table, show_table
from bodydouble.cli.values import print_json

app = typer.Typer(
    help="Download the perception models (50 MB) and the weights of the wan renderer (85 GB).", no_args_is_help=True
)


@app.command()
def install(
    what: Annotated[str, typer.Argument(metavar="MODELS", help="perception or wan.")] = "perception",
    source: Annotated[
        str | None, typer.Option("--from", metavar="SOURCE", help="For wan: a local folder, or OWNER/NAME on the hub.")
    ] = None,
) -> None:
    """Download missing models. Can be interrupted and repeated.

    perception uses pip or uv, and npm, and verifies each file. wan is about 85 GB.

    Example: bodydouble models install wan --from /media/disk/Wan2.2-Animate-14B-Diffusers
    """
    match what:
        case "perception" if source is None:
            install_with_progress()
        case "perception":
            fail("--from is for wan only; set BODYDOUBLE_MODELS to a prepared folder of perception models", EXIT_USAGE)
        case "wan":
            _install_wan(source)
        case _:
            fail(f"MODELS: {what} is neither perception nor wan", EXIT_USAGE)


def _install_wan(source: str | None) -> None:
    from bodydouble.bootstrap.options import wan_settings  # slow imports stay in functions: --help needs none
    from bodydouble.renderers.wan.weights import install_weights, weights_folder

    folder = weights_folder(wan_settings(load_settings()))
    with ProgressDisplay() as display:
        install_weights(source, folder, display.update)
    err.print(f"The weights are in {folder}", markup=False)


def install_with_progress(*, quiet: bool = False) -> None:
    """Download missing perception models. ``quiet``: print nothing if none is missing."""
    from bodydouble.perception.pack import cache_folder, install_pack, missing_files

    folder = load_settings().models or cache_folder()
    if not missing_files(folder):
        if not quiet:
            err.print(f"The models are in {folder}", markup=False)
        return
    with ProgressDisplay() as display:
        install_pack(folder, display.update)
    err.print(f"The models are in {folder}", markup=False)


@app.command("convert-pose")
def convert_pose(
    checkpoint: Annotated[Path, typer.Argument(metavar="FILE", help="A .pth file of whole-body ViTPose or ViTPose+.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="New folder for the converted network.")],
) -> None:
    """Convert the published whole-body ViTPose to a folder for the setting perception_pose. Needs the extra wan.

    The networks on transformers' hub detect 17 points; this one detects 133, including hands and feet.

    Example: bodydouble models convert-pose vitpose+_huge.pth ~/vitpose-whole-body
    """
    checkpoint = existing_file(checkpoint, "FILE")
    if folder.exists():
        fail(f"FOLDER: {folder} exists already; choose another one", EXIT_USAGE)
    from bodydouble.perception.backends import package_obstacle

    if obstacle := package_obstacle():
        fail(obstacle)
    from bodydouble.perception.gpu.conversion import convert_whole_body

    convert_whole_body(checkpoint, folder)
    err.print(
        f"The network is in {folder}. To use it: export BODYDOUBLE_PERCEPTION_POSE={folder.resolve()}", markup=False
    )


@app.command("ls", hidden=True)
@app.command("list")
def list_files(as_json: JsonOption = False) -> None:
    """List the perception models, their sizes, and which are installed.

    Example: bodydouble models list
    """
    from bodydouble.perception.pack import PACK_FILES, cache_folder, missing_files

    folder = load_settings().models or cache_folder()
    missing = missing_files(folder)
    if as_json:
        rows = [{"name": f.name, "bytes": f.size_bytes, "present": f.name not in missing} for f in PACK_FILES.values()]
        print_json({"folder": folder, "files": rows})
        return
    table = make_table("file", "MB", "state")
    for file in PACK_FILES.values():
        state = "[red]missing[/]" if file.name in missing else "[green]installed[/]"
        table.add_row(file.name, f"{file.size_bytes / 1e6:.1f}", state)
    show_table(table)
    if missing:
        err.print("Download the missing files: bodydouble models install")


@app.command()
def path() -> None:
    """Print the folder of the perception models.

    Example: cp -r "$(bodydouble models path)" /media/stick/
    """
    from bodydouble.perception.pack import cache_folder

    typer.echo(load_settings().models or cache_folder())
