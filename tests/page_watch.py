"""Detection of unwanted behaviour of a page in a browser."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


@dataclass
class Watch:
    """Collects console errors and warnings, and requests to other origins than ``origin``."""

    origin: str
    faults: list[str] = field(default_factory=list[str])

    def over(self, page: "Page") -> None:
        """Listen to ``page``."""
        page.on("console", lambda m: m.type in ("error", "warning") and self.faults.append(f"console: {m.text}"))  # pyright: ignore[reportArgumentType, reportCallIssue]
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("request", lambda r: self._check(r.url))

    def _check(self, url: str) -> None:
        if not url.startswith((self.origin + "/", f"blob:{self.origin}/")):
            self.faults.append(f"request elsewhere: {url}")
