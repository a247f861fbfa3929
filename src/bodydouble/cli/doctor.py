"""``doctor``: what this machine has, what is missing, and the command that mends it."""

import typer
from rich.markup import escape
from rich.table import Table

from bodydouble.cli.serve import DataOption
from bodydouble.cli.terminal import EXIT_FAILED, load_settings, out

MARKS = {"good": "[green]✓[/]", "absent": "[yellow]–[/]", "bad": "[red]✗[/]"}


def doctor(data: DataOption = None) -> None:
    """Look at this machine and its installation. Ends with 1 where the main job, or what it stands on, cannot run.

    Example: bodydouble doctor
    """
    from bodydouble.cli.examination import examine  # heavy, as the next: not for --help
    from bodydouble.cli.surroundings import look_at_installation

    settings = load_settings(data=data)
    findings = [*examine(settings), *look_at_installation(settings)]
    table = Table(show_header=False, box=None, pad_edge=False)
    for finding in findings:
        text = escape(finding.detail)
        if finding.mend:
            text += f"\n[dim]→[/] {escape(finding.mend)}"
        table.add_row(MARKS[finding.state], finding.subject, text)
    out.print(table)
    if any(finding.state == "bad" for finding in findings):
        out.print("\nThe main job cannot run here yet; do what stands behind the arrows.")
        raise typer.Exit(EXIT_FAILED)
    out.print("\nThe main job runs here. Try: bodydouble demo")
