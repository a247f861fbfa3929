"""``dialects``: the APIs of other services that this installation offers, and what their clients have to be given."""

from dataclasses import dataclass

from bodydouble.cli.options import DataOption, JsonOption
from bodydouble.cli.settings import load_settings
from bodydouble.cli.terminal import make_table, show_table
from bodydouble.cli.values import print_json


@dataclass(frozen=True, kw_only=True)
class DialectAddress:
    """One address of a dialect. ``give_as`` is the variable or option of the vendor's client that takes it."""

    dialect: str
    title: str
    served: bool
    give_as: str
    value: str


def dialects(
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List the APIs of other services that this installation offers, and the address for their clients.

    The client of another service works here when you change one variable or option. The address is that of the running
    service, else that of the settings. The setting dialects_off switches dialects off.

    Examples:

      bodydouble dialects

      bodydouble dialects --json | jq '.[] | select(.dialect == "replicate")'
    """
    from bodydouble.api.dialects import DIALECTS  # slow import: not for --help
    from bodydouble.cli.running_services import service_of

    settings = load_settings(data=data)
    service = service_of(settings.data)
    base_url = service.base_url if service else settings.base_url
    addresses = [
        DialectAddress(
            dialect=dialect.name,
            title=dialect.title,
            served=dialect.name not in settings.dialect_names_off,
            give_as=address.give_as,
            value=address.of(base_url),
        )
        for dialect in DIALECTS.values()
        for address in dialect.base_urls
    ]
    if as_json:
        print_json(addresses)
        return
    table = make_table("dialect", "give as", "value")
    for address in addresses:
        table.add_row(address.dialect, address.give_as, address.value if address.served else "(switched off)")
    show_table(table)
