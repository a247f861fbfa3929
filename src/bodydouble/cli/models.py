"""``models``: the small networks that see people, and the large ones that draw them."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bodydouble.cli.terminal import EXIT_USAGE, err, existing_file, fail, load_settings, out

app = typer.Typer(
    help="The perception networks, about 50 MB, and the weights of the wan renderer.", no_args_is_help=True
)


@app.command()
def install(
    what: Annotated[str, typer.Argument(help="perception or wan.")] = "perception",
    source: Annotated[str | None, typer.Option("--from", help="wan: a folder here, or OWNER/NAME of the hub.")] = None,
) -> None:
    """Fetch what is missing. Safe to interrupt and to repeat.

    perception comes through pip or uv, and npm; each file is checked. wan is about 85 GB.

    Example: bodydouble models install wan --from /media/disk/Wan2.2-Animate-14B-Diffusers
    """
    match what:
        case "perception" if source is None:
            install_with_progress()
        case "perception":
            fail("--from: only wan takes one; a prepared perception folder is set with BODYDOUBLE_MODELS", EXIT_USAGE)
        case "wan":
            _install_wan(source)
        case _:
            fail(f"there are no models called {what}; there are: perception, wan", EXIT_USAGE)


def _install_wan(source: str | None) -> None:
    from bodydouble.bootstrap.options import wan_settings  # heavy, as all that is imported in functions: not for --help
    from bodydouble.renderers.wan.weights import install_weights, weights_folder

    folder = weights_folder(wan_settings(load_settings()))
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err) as progress:
        bar = progress.add_task("weights", total=1.0)

        def report(now: str, fraction: float) -> None:
            progress.update(bar, description=now, completed=fraction)

        install_weights(source, folder, report)
    err.print(f"The weights are in {folder}")


def install_with_progress(*, quiet: bool = False) -> None:
    """Fetch the pack while a bar shows it. Where it is there already, ``quiet`` says nothing."""
    from bodydouble.perception.pack import cache_folder, install_pack, missing_files

    folder = load_settings().models or cache_folder()
    if not missing_files(folder):
        if not quiet:
            err.print(f"The models are in {folder}")
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err) as progress:
        bar = progress.add_task("models", total=1.0)

        def report(what: str, fraction: float) -> None:
            progress.update(bar, description=what, completed=fraction)

        install_pack(folder, report)
    err.print(f"The models are in {folder}")


@app.command("convert-pose")
def convert_pose(
    checkpoint: Annotated[Path, typer.Argument(help="A .pth of ViTPose for the whole body, or of ViTPose+.")],
    folder: Annotated[Path, typer.Argument(help="Where to write the converted network; must not be there yet.")],
) -> None:
    """Turn the published whole-body ViTPose into a folder for the setting perception_pose. Needs the extra wan.

    The networks of transformers' hub have 17 points; this one also sees hands and feet (133 points).

    Example: bodydouble models convert-pose vitpose+_huge.pth ~/vitpose-whole-body
    """
    checkpoint = existing_file(checkpoint, "CHECKPOINT")
    if folder.exists():
        fail(f"FOLDER: {folder} is there already; name another one", EXIT_USAGE)
    from bodydouble.perception.backends import package_obstacle

    if obstacle := package_obstacle():
        fail(obstacle)
    from bodydouble.perception.gpu.conversion import convert_whole_body

    convert_whole_body(checkpoint, folder)
    err.print(f"The network is in {folder}. Use it: export BODYDOUBLE_PERCEPTION_POSE={folder.resolve()}")


@app.command("ls", hidden=True)
@app.command("list")
def list_files(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """The files, their sizes, and which of them are here.

    Example: bodydouble models list
    """
    from bodydouble.perception.pack import PACK_FILES, cache_folder, missing_files

    folder = load_settings().models or cache_folder()
    missing = missing_files(folder)
    if as_json:
        rows = [{"name": f.name, "bytes": f.size_bytes, "present": f.name not in missing} for f in PACK_FILES.values()]
        typer.echo(json.dumps({"folder": str(folder), "files": rows}))
        return
    table = Table("file", "MB", "state")
    for file in PACK_FILES.values():
        state = "[red]missing[/]" if file.name in missing else "[green]here[/]"
        table.add_row(file.name, f"{file.size_bytes / 1e6:.1f}", state)
    out.print(table)
    if missing:
        err.print("Fetch what is missing: bodydouble models install")


@app.command()
def path() -> None:
    """The folder that the models are read from.

    Example: cp -r "$(bodydouble models path)" /media/stick/
    """
    from bodydouble.perception.pack import cache_folder

    typer.echo(load_settings().models or cache_folder())
