"""Which files of this machine tools may read and write."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mcp.server.mcpserver.exceptions import ToolError

from bodydouble_client.media import as_url


class LocalFolders:
    """Folders whose files agents may use. None of them: files have to be at addresses."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = [folder.resolve() for folder in folders]

    def source(self, text: object, field: str) -> str | Path:
        """An address as it is, or the path of a file in an allowed folder. Raises ToolError, also unless it is text."""
        if not isinstance(text, str):
            raise ToolError(f"{field}: expected a path, an http(s) address or a data URL, not {type(text).__name__}")
        # The client opens as a local file whatever it does not take for an address, so its own rule decides here.
        if as_url(text) is not None:
            return text
        is_file_url = text[:5].lower() == "file:"
        path = self._allowed(unquote(urlsplit(text).path) if is_file_url else text, field)
        if not path.is_file():
            raise ToolError(f"{field}: there is no file {path}")
        return path

    def target(self, text: str) -> Path:
        """The path of a new file in an allowed folder. Raises ToolError."""
        path = self._allowed(text, "path")
        if path.is_dir():
            return path
        if path.exists():
            raise ToolError(f"path: {path} exists already; choose another name")
        if not path.parent.is_dir():
            raise ToolError(f"path: there is no folder {path.parent}")
        return path

    def _allowed(self, text: str, field: str) -> Path:
        if not self._folders:
            raise ToolError(
                f"{field}: this server reads no local files. Give an http(s) address, or upload the file first: "
                "upload_address returns where to."
            )
        try:
            path = Path(text).expanduser()
        except RuntimeError as error:
            raise ToolError(f"{field}: {text} names the home folder of an unknown user") from error
        if not path.is_absolute():
            path = self._folders[0] / path
        path = path.resolve()  # a link out of an allowed folder does not count as in it
        if not any(path.is_relative_to(folder) for folder in self._folders):
            allowed = ", ".join(map(str, self._folders))
            raise ToolError(f"{field}: {text} is in none of the folders that this server may use: {allowed}")
        return path

    def __bool__(self) -> bool:
        return bool(self._folders)
