"""``callbacks``: list a task's callbacks, and send one again."""

import typer

from bodydouble.cli.options import DataOption, JsonOption
from bodydouble.cli.task_report import callback_table
from bodydouble.cli.tasks import TaskArgument
from bodydouble.cli.terminal import err, out, show_table
from bodydouble.cli.values import print_json

app = typer.Typer(help="Manage callbacks of tasks.", no_args_is_help=True)


@app.callback()
def callbacks() -> None:
    """Manage callbacks of tasks."""


@app.command("list", hidden=True)
@app.command("ls")
def list_callbacks(task_id: TaskArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """List a task's callbacks with every try.

    Example: bodydouble callbacks ls 019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d
    """
    from bodydouble.cli.installation import operate

    report = operate(data, lambda admin: admin.operation.report(task_id))
    if as_json:
        print_json(list(report.deliveries))
    elif report.deliveries:
        show_table(callback_table(report.deliveries))
    elif report.task.callback_url:
        out.print("No callback yet: it is sent when the task is finished.")
    else:
        out.print("This task has no callback_url.")


@app.command()
def resend(task_id: TaskArgument, data: DataOption = None) -> None:
    """Send a task's callback again with the same webhook-id, also after it was delivered.

    Example: bodydouble callbacks resend 019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d
    """
    from bodydouble.cli.installation import operate

    delivery = operate(data, lambda admin: admin.operation.resend(task_id))
    err.print(f"Delivery {delivery} is due now; a worker sends it.", markup=False)
