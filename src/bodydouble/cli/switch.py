"""``switch``: take no new work for a while, all of it or a part, without a restart."""

from typing import Annotated

import typer

from bodydouble.cli.keys import JsonOption
from bodydouble.cli.serve import DataOption
from bodydouble.cli.terminal import err, make_table, out, show_table
from bodydouble.cli.values import parse_span, print_json, show_moment
from bodydouble.tasks.operation import MAINTENANCE, SwitchedOff

app = typer.Typer(help="Maintenance, and features switched off.", no_args_is_help=True)


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
    """Maintenance, and features switched off: what was accepted goes on, and everything can be read."""


@app.command()
def off(
    name: SwitchArgument,
    message: Annotated[str, typer.Option(help="What callers are told.")] = "",
    retry: Annotated[str, typer.Option(metavar="SPAN", help="When callers should try again.")] = "5m",
    data: DataOption = None,
) -> None:
    """Take no new work of this name, from the next request on and in every process.

    Examples:

      bodydouble switch off maintenance --message "New disks, back at 14:00 UTC" --retry 30m

      bodydouble switch off renderer:puppet
    """
    from bodydouble.cli.installation import AdminServices, operate

    seconds = int(parse_span(retry, "--retry").total_seconds())

    async def turn(admin: AdminServices) -> None:
        await admin.operation.switch_off(name, message, seconds)

    operate(data, turn)
    what = "no new work is taken" if name == MAINTENANCE else f"{name} is off"
    err.print(f"From now on {what}. Back: bodydouble switch on {name}")


@app.command()
def on(name: SwitchArgument, data: DataOption = None) -> None:
    """Take work of this name again; of maintenance: end it.

    Example: bodydouble switch on maintenance
    """
    from bodydouble.cli.installation import AdminServices, operate

    async def turn(admin: AdminServices) -> bool:
        return await admin.operation.switch_on(name)

    was_off = operate(data, turn)
    if name == MAINTENANCE:
        err.print("Maintenance is over: new work is taken again." if was_off else "There was no maintenance.")
    else:
        err.print(f"{name} is on again." if was_off else f"{name} was not off.")


@app.command("list", hidden=True)
@app.command("ls")
def list_switched_off(as_json: JsonOption = False, data: DataOption = None) -> None:
    """What is off.

    Example: bodydouble switch ls
    """
    from bodydouble.cli.installation import AdminServices, operate

    async def look(admin: AdminServices) -> list[SwitchedOff]:
        return await admin.operation.switched_off()

    found = operate(data, look)
    if as_json:
        print_json(found)
    elif not found:
        out.print("Everything is on.")
    else:
        table = make_table("off", "since", "retry after", "message")
        for switched in found:
            table.add_row(switched.name, show_moment(switched.since), f"{switched.retry_seconds} s", switched.message)
        show_table(table)
