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


def barriers(page: "Page") -> list[tuple[str, str, str]]:
    """The violations that axe finds on the page with all rules, in both themes."""
    from axe_playwright_python.sync_playwright import Axe  # not installed where there is no browser

    found: list[tuple[str, str, str]] = []
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        found += [(theme, v["id"], n["html"][:120]) for v in violations for n in v["nodes"]]
    return found
