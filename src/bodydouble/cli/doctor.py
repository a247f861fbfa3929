"""``doctor``: check this machine and its installation."""

import typer

from bodydouble.cli.options import DataOption, JsonOption
from bodydouble.cli.settings import load_settings
from bodydouble.cli.terminal import EXIT_FAILED, out, show_facts
from bodydouble.cli.values import print_json

MARKS = {"good": "✓", "absent": "–", "bad": "✗"}


def doctor(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Check this machine and its installation, and name the command that fixes each problem.

    The exit status is 1 if videos cannot be made here. ✓ works, – is optional and missing, ✗ is required.

    Examples:

      bodydouble doctor

      bodydouble doctor --json | jq '.findings[] | select(.state == "bad")'
    """
    from bodydouble.cli.installation_checks import check_installation  # slow imports: not for --help
    from bodydouble.cli.machine_checks import check_machine

    settings = load_settings(data=data)
    findings = [*check_machine(settings), *check_installation(settings)]
    failed = any(finding.state == "bad" for finding in findings)
    if as_json:
        print_json({"ready": not failed, "findings": findings})
    else:
        facts = [
            (f"{MARKS[f.state]} {f.subject}", f.detail + (f"\n→ {f.remedy}" if f.remedy else "")) for f in findings
        ]
        show_facts(facts)
        ready = "This machine can make videos. Try: bodydouble demo"
        out.print("\nThis machine cannot make videos yet: follow the arrows." if failed else f"\n{ready}")
    if failed:
        raise typer.Exit(EXIT_FAILED)
