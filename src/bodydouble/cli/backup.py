"""``backup`` and ``restore``: an installation's database, files, secret and signing authority as one folder."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bodydouble import __version__
from bodydouble.cli.options import DataOption
from bodydouble.cli.settings import load_settings
from bodydouble.cli.terminal import EXIT_USAGE, err, fail, out
from bodydouble.tasks.atomic_files import atomic_write, part_of

DUMP, FILES, SECRET, DESCRIPTION = "database.dump", "files", "secret", "backup.json"
AUTHORITY = "provenance"


def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="New folder for the backup.")],
    data: DataOption = None,
) -> None:
    """Copy database, files, secret and signing authority into a new folder, whether or not the service runs.

    Files in a bucket are not copied: keep versions of the bucket with the tools of its provider.

    Example: bodydouble backup /backups/2026-11-28
    """
    from bodydouble.bootstrap.provenance import authority_folder  # slow imports: not for --help
    from bodydouble.bootstrap.stores import open_secret, start_database
    from bodydouble.cli.installation import find_installation
    from bodydouble.store.backup import copy_files, dump_database
    from bodydouble.store.secret import save_secret

    if folder.exists():
        fail(f"FOLDER: {folder} exists already; choose another one", EXIT_USAGE)
    settings = find_installation(data)
    part = part_of(folder)
    part.mkdir(parents=True, mode=0o700)
    try:
        with start_database(settings) as database_url:
            dump_database(database_url, part / DUMP)
        count, size = (0, 0) if settings.bucket else copy_files(settings.files_folder, part / FILES)
        save_secret(part / SECRET, open_secret(settings).decode())
        if authority_folder(settings).is_dir():
            shutil.copytree(authority_folder(settings), part / AUTHORITY)
        made = {"version": __version__, "created_at": datetime.now(UTC).isoformat(timespec="seconds")}
        atomic_write(part / DESCRIPTION, json.dumps(made | {"files": count, "bytes": size}))
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    if settings.bucket:
        err.print(f"The files stay in {settings.bucket}; back that up as well.", markup=False)
    dump_bytes = (folder / DUMP).stat().st_size
    out.print(f"{folder}: database {dump_bytes / 1e6:.1f} MB, {count} files {size / 1e6:.1f} MB, secret", markup=False)


def restore(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that `bodydouble backup` made.")],
    data: DataOption = None,
) -> None:
    """Create an installation from a backup, in a new data folder or the empty database of DATABASE_URL.

    Tasks that were running start again from their inputs; a callback may be sent a second time. Restore the bucket, if
    files are in one, before the first start.

    Example: bodydouble restore /backups/2026-11-28 --data /srv/bodydouble
    """
    from bodydouble.bootstrap.provenance import authority_folder  # slow imports: not for --help
    from bodydouble.bootstrap.stores import start_database
    from bodydouble.cli import ledger
    from bodydouble.cli.installation import has_installation
    from bodydouble.store.backup import copy_files, restore_database
    from bodydouble.store.secret import save_secret

    if not (folder / DESCRIPTION).is_file():
        fail(f"FOLDER: {folder} is no backup: it has no {DESCRIPTION}", EXIT_USAGE)
    settings = load_settings(data=data)
    if not settings.database_url and has_installation(settings.data):
        fail(f"--data: {settings.data} holds an installation already; choose a new folder", EXIT_USAGE)
    if not settings.bucket and settings.files_folder.exists():
        fail(f"{settings.files_folder} exists already; choose a new data folder", EXIT_USAGE)
    made = json.loads((folder / DESCRIPTION).read_text())
    is_new = not settings.data.exists()
    try:
        with start_database(settings) as database_url:
            restore_database(database_url, folder / DUMP)
        if (folder / FILES).is_dir():
            copy_files(folder / FILES, settings.files_folder)
        if not settings.secret:
            save_secret(settings.data / SECRET, (folder / SECRET).read_text().strip())
        if (folder / AUTHORITY).is_dir():
            shutil.copytree(folder / AUTHORITY, authority_folder(settings))
    except BaseException:
        if is_new:  # half an installation would look like one
            shutil.rmtree(settings.data, ignore_errors=True)
        raise
    out.print(f"Restored the backup of {made['created_at']} (version {made['version']}).", markup=False)
    if settings.secret:
        err.print("BODYDOUBLE_SECRET must be the secret of the installation that was backed up.", markup=False)
    ledger.check(data=settings.data)
