"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from bodydouble.cli.completion import complete_account

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="FOLDER",
        help="Data folder: database, files and workspaces.",
        show_default="bodydouble-data",
    ),
]
OwnerOption = Annotated[int | None, typer.Option("--owner", hidden=True, help="End with this parent process.")]
Force = Annotated[bool, typer.Option("--force", "-f", help="Overwrite existing files.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
AccountOption = Annotated[
    str | None,
    typer.Option(metavar="ACCOUNT", help="Of this account only.", autocompletion=complete_account, show_default=False),
]
