"""Values that all machines of an installation share."""

from bodydouble.store.postgres.database import Database


class PostgresInstallationStore:
    """Satisfies ``tasks.ports.InstallationStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim_chore(self, name: str, every_seconds: float) -> bool:
        return await self._database.row("claim_chore", name, every_seconds) is not None

    async def agree(self, name: str, value: str) -> str:
        found = await self._database.row("agree", name, value)
        if found is None:  # another process set it after this statement took its snapshot
            found = await self._database.row("agree", name, value)
        return str(found[0])

    async def agree_anew(self, name: str, value: str) -> None:
        await self._database.row("agree_anew", name, value)
