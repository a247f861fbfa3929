"""``tasks``: list, show, retry and cancel the tasks of all accounts."""

import asyncio
from typing import Annotated

import typer
from rich.markup import escape

from bodydouble.cli.completion import complete_task
from bodydouble.cli.options import AccountOption, DataOption, JsonOption
from bodydouble.cli.task_report import print_report
from bodydouble.cli.terminal import err, make_table, show_table
from bodydouble.cli.values import parse_moment, print_json, show_amount, show_moment
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.catalogue import CATALOGUE
from bodydouble.tasks.task import Task, TaskFilter, TaskSource, TaskStatus

app = typer.Typer(help="Manage the tasks of all accounts.", no_args_is_help=True)

COLOURS = {
    TaskStatus.PENDING: "yellow",
    TaskStatus.RUNNING: "cyan",
    TaskStatus.SUCCESS: "green",
    TaskStatus.FAILED: "red",
}
TaskArgument = Annotated[str, typer.Argument(metavar="TASK_ID", autocompletion=complete_task, show_default=False)]


@app.callback()
def tasks() -> None:
    """Manage the tasks of all accounts."""


def _models(incomplete: str) -> list[str]:
    return [name for name in CATALOGUE if name.startswith(incomplete)]


@app.command("list", hidden=True)
@app.command("ls")
def list_tasks(
    account: AccountOption = None,
    status: Annotated[TaskStatus | None, typer.Option(help="Tasks with this status only.")] = None,
    model: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Tasks of this model only.", autocompletion=_models)
    ] = None,
    source: Annotated[TaskSource | None, typer.Option(help="Tasks created there only.")] = None,
    since: Annotated[str | None, typer.Option(metavar="SPAN|DATE", help="Created since: 2h, 7d, 2026-01-31.")] = None,
    until: Annotated[str | None, typer.Option(metavar="SPAN|DATE", help="Created before.")] = None,
    limit: Annotated[int, typer.Option(help="Number of tasks.", min=1, max=10_000)] = 20,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List tasks, newest first.

    Examples:

      bodydouble tasks ls --status failed --since 1d

      bodydouble tasks ls --account studio --limit 100 --json
    """
    from bodydouble.cli.installation import AdminServices, operate

    after = parse_moment(since, "--since", past=True) if since else None
    before = parse_moment(until, "--until", past=True) if until else None

    async def query(admin: AdminServices) -> tuple[list[Task], dict[AccountId, str]]:
        names = await admin.operation.account_names()
        wanted = TaskFilter(
            account=(await admin.operation.account(account)).id if account else None,
            status=status,
            model=model,
            source=source,
            created_after=after,
            created_before=before,
            limit=limit,
        )
        page = await admin.tasks.list(wanted, None)
        return [view.task for view in page.views], names

    found, names = operate(data, query)
    if as_json:
        print_json([{"account_name": names[task.account], "task": task} for task in found])
        return
    table = make_table("task", "account", "status", "stage", "%", "credits", "created", "result")
    for task in found:
        table.add_row(
            str(task.id),
            escape(names[task.account]),
            f"[{COLOURS[task.status]}]{task.status.value}[/]",
            task.progress.stage,
            f"{task.progress.fraction:.0%}",
            show_amount(task.credits),
            show_moment(task.created_at),
            escape(f"{int(task.result.code)} {task.result.message}" if task.result else ""),
        )
    show_table(table)


@app.command()
def show(task_id: TaskArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Show one task: status, timeline, result, callbacks with every try, and ledger entries.

    Example: bodydouble tasks show 019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d
    """
    from bodydouble.cli.installation import operate

    report = operate(data, lambda admin: admin.operation.report(task_id))
    if as_json:
        print_json(report)
    else:
        print_report(report)


@app.command()
def retry(task_id: TaskArgument, data: DataOption = None) -> None:
    """Retry a failed task as a new task of the same account, or queue a stuck task again.

    Prints the id of the queued task alone on stdout. A new task is priced and limited like any other.

    Example: bodydouble tasks retry 019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d
    """
    from bodydouble.cli.installation import operate

    retried = operate(data, lambda admin: admin.operation.retry(task_id))
    typer.echo(retried.id)
    err.print("Created a new task with the same inputs." if retried.new else "The task is queued again.")


@app.command()
def cancel(
    task_ids: Annotated[
        list[str], typer.Argument(metavar="TASK_ID...", autocompletion=complete_task, show_default=False)
    ],
    data: DataOption = None,
) -> None:
    """Cancel tasks: waiting ones immediately, running ones within seconds. Nothing is charged.

    Example: bodydouble tasks cancel 019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d
    """
    from bodydouble.cli.installation import AdminServices, operate

    async def cancel_all(admin: AdminServices) -> list[bool]:
        return await asyncio.gather(*(admin.operation.cancel(task_id) for task_id in task_ids))

    for task_id, asked in zip(task_ids, operate(data, cancel_all), strict=True):
        err.print(f"{task_id}: {'cancelling' if asked else 'was finished already'}", markup=False)
