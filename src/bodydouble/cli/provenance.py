"""``provenance``: the local authority that signs results."""

from typing import Annotated

import typer

from bodydouble.cli.options import DataOption
from bodydouble.cli.settings import load_settings
from bodydouble.cli.terminal import fail, out

app = typer.Typer(help="Sign results as generated (C2PA).", no_args_is_help=True)

WHAT_A_CERTIFICATE_ADDS = """\
Results are signed with this authority. Anybody can check that they are unchanged, but verifiers report an unknown
signer: nobody else vouches for the name. For a known signer, get a certificate for C2PA claim signing from an authority
on the C2PA trust list, and set BODYDOUBLE_PROVENANCE_CERTIFICATE, with BODYDOUBLE_PROVENANCE_KEY or
BODYDOUBLE_PROVENANCE_COMMAND. BODYDOUBLE_PROVENANCE_TIMESTAMP_URL adds the time of signing, so that signatures stay
valid after the certificate has expired."""


@app.callback()
def provenance() -> None:
    """Sign results as generated (C2PA)."""


@app.command()
def init(
    organisation: Annotated[str, typer.Option(help="Name of the signer, as verifiers show it.")] = "",
    rotate: Annotated[bool, typer.Option("--rotate", help="Replace the signer's key; the authority stays.")] = False,
    data: DataOption = None,
) -> None:
    """Create the local authority that signs results, or give it a new key. A running service needs no restart.

    The service creates one at its first start, with a general name. This command gives it yours, if run before that.

    Examples:

      bodydouble provenance init --organisation "Example Studios"

      bodydouble provenance init --rotate
    """
    from bodydouble.bootstrap.provenance import ORGANISATION, authority_folder  # slow imports: not for --help
    from bodydouble.provenance.authority import AUTHORITY, issue_signer, make_authority
    from bodydouble.provenance.options import signer_file

    folder = authority_folder(load_settings(data=data))
    exists = signer_file(folder).exists()
    try:
        if exists and not rotate:
            fail(
                f"{folder} has an authority already. Replace its signer's key with --rotate, or move the folder away "
                "to create another authority."
            )
        if not exists:
            make_authority(folder, organisation or ORGANISATION)
        if rotate:
            issue_signer(folder)
    except OSError as error:
        fail(f"{folder}: {error.strerror}")
    out.print(f"root certificate, for those who verify: {folder / AUTHORITY}", soft_wrap=True)
    out.print(f"key and certificate of the signer: {signer_file(folder)}", soft_wrap=True)
    out.print("\n" + WHAT_A_CERTIFICATE_ADDS)
