"""``switch``: refuse new work, all or some of it, without a restart."""

from typing import Annotated

import typer
from rich.markup import escape

from bodydouble.cli.options import DataOption, JsonOption
from bodydouble.cli.terminal import err, make_table, out, show_table
from bodydouble.cli.values import parse_span, print_json, show_moment
from bodydouble.tasks.operation import MAINTENANCE, SwitchedOff

app = typer.Typer(help="Refuse new work for maintenance, or switch off features.", no_args_is_help=True)


def _names(incomplete: str) -> list[str]:
    from bodydouble.renderers.registry import installed_plugins
    from bodydouble.service.operation import switchable_names

    return [
        name
        for name in switchable_names([plugin.name for plugin in installed_plugins()])
        if name.startswith(incomplete)
    ]


SwitchArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="maintenance (all new work), uploads, renderer:puppet, renderer:wan, or a model.",
        autocompletion=_names,
        show_default=False,
    ),
]


@app.callback()
def switch() -> None:
    """Refuse new work for maintenance, or switch off features. Accepted tasks continue and can be read."""


@app.command()
def off(
    work: SwitchArgument,
    message: Annotated[str, typer.Option(help="Message to clients.")] = "",
    retry: Annotated[str, typer.Option(metavar="SPAN", help="When clients should retry.")] = "5m",
    data: DataOption = None,
) -> None:
    """Refuse new work of this kind, from the next request, in every process.

    Examples:

      bodydouble switch off maintenance --message "New disks, back at 14:00 UTC" --retry 30m

      bodydouble switch off renderer:puppet
    """
    from bodydouble.cli.installation import AdminServices, operate

    seconds = int(parse_span(retry, "--retry").total_seconds())

    async def turn(admin: AdminServices) -> None:
        await admin.operation.switch_off(work, message, seconds)

    operate(data, turn)
    state = "New work is refused" if work == MAINTENANCE else f"{work} is off"
    err.print(f"{state}. To undo: bodydouble switch on {work}", markup=False)


@app.command()
def on(work: SwitchArgument, data: DataOption = None) -> None:
    """Accept work of this kind again.

    Example: bodydouble switch on maintenance
    """
    from bodydouble.cli.installation import AdminServices, operate

    async def turn(admin: AdminServices) -> bool:
        return await admin.operation.switch_on(work)

    was_off = operate(data, turn)
    if work == MAINTENANCE:
        err.print("Maintenance is over: new work is accepted again." if was_off else "There was no maintenance.")
    else:
        err.print(f"{work} is on again." if was_off else f"{work} was not off.", markup=False)


@app.command("list", hidden=True)
@app.command("ls")
def list_switched_off(as_json: JsonOption = False, data: DataOption = None) -> None:
    """List what is switched off.

    Example: bodydouble switch ls
    """
    from bodydouble.cli.installation import AdminServices, operate

    async def query(admin: AdminServices) -> list[SwitchedOff]:
        return await admin.operation.switched_off()

    found = operate(data, query)
    if as_json:
        print_json(found)
    elif not found:
        out.print("Everything is on.")
    else:
        table = make_table("off", "since", "retry after", "message")
        for switched in found:
            retry_after = f"{switched.retry_seconds} s"
            table.add_row(switched.name, show_moment(switched.since), retry_after, escape(switched.message))
        show_table(table)
