"""Which files of this machine a tool may read."""

from pathlib import Path

import pytest
from mcp.server.mcpserver.exceptions import ToolError

from bodydouble.agents.local_files import LocalFolders


@pytest.mark.parametrize("start", [" http:", "\x01https:", "\tdata:", "ht\ntp:"])
def test_text_that_only_resembles_an_address_is_a_path(
    start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client would open it as a file, so a link out of the folder is refused, also without any folder."""
    outside, folder = tmp_path / "outside", tmp_path / "allowed"
    outside.mkdir()
    (outside / "x.mp4").write_bytes(b"a video")
    (folder / start).mkdir(parents=True)
    (folder / start / "out").symlink_to(outside)
    monkeypatch.chdir(folder)
    for folders, message in (([folder], "none of the folders"), ([], "reads no local files")):
        with pytest.raises(ToolError, match=message):
            LocalFolders(folders).source(f"{start}/out/x.mp4", "video")


@pytest.mark.parametrize(
    ("value", "message"),
    [(5, "picture: expected a path"), (["x"], "picture: expected"), ("~nobody-here/x.png", "picture: .* unknown user")],
)
def test_anything_but_a_path_or_an_address_is_explained(value: object, message: str, tmp_path: Path) -> None:
    """The tasks extension passes arguments on as they came; the answer names the field."""
    with pytest.raises(ToolError, match=message):
        LocalFolders([tmp_path]).source(value, "picture")
