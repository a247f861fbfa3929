"""The features that the operator has switched off."""

from bodydouble.store.postgres.database import Database
from bodydouble.tasks.operation import SwitchedOff


class PostgresSwitchStore:
    """Satisfies ``tasks.ports.SwitchStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def switch_off(self, name: str, message: str, retry_seconds: int) -> None:
        await self._database.row("switch_off", name, message, retry_seconds)

    async def switch_on(self, name: str) -> bool:
        return await self._database.row("switch_on", name) is not None

    async def switched_off(self) -> list[SwitchedOff]:
        rows = await self._database.rows("switched_off")
        return [
            SwitchedOff(
                name=row["name"], message=row["message"], retry_seconds=row["retry_seconds"], since=row["since"]
            )
            for row in rows
        ]
