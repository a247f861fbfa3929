"""The installation's secret."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bodydouble.store import derive_key, master_secret
from bodydouble.tasks.errors import InputRejected, StorageUnavailable


def test_a_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    """The first start makes the file, the next ones read the same; only the owner may."""
    first = master_secret("", tmp_path / "data")
    assert master_secret("", tmp_path / "data") == first
    assert len(first) == 64
    assert stat.S_IMODE((tmp_path / "data" / "secret").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret"]


def test_those_who_start_together_agree(tmp_path: Path) -> None:
    """Of many that make it at once, one wins and all read its secret whole."""
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: master_secret("", tmp_path), range(32)))
    assert len(found) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_the_setting_wins_and_is_the_same_as_the_file(tmp_path: Path) -> None:
    """The file's text, given to another machine as the setting, is the same secret there."""
    made = master_secret("", tmp_path / "one")
    text = (tmp_path / "one" / "secret").read_text()
    assert master_secret(text, tmp_path / "two") == made
    assert not (tmp_path / "two").exists()


def test_a_short_secret_is_refused_and_not_shown(tmp_path: Path) -> None:
    """The message names the setting or the file, and how to make a good one."""
    with pytest.raises(InputRejected, match=r"BODYDOUBLE_SECRET: has 7 .*openssl rand") as refused:
        master_secret("letmein", tmp_path)
    assert "letmein" not in refused.value.message
    (tmp_path / "secret").write_text("")
    with pytest.raises(InputRejected, match="secret: has 0 characters"):
        master_secret("", tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Where the data folder is no folder, the message says so."""
    (tmp_path / "data").write_text("")
    with pytest.raises(StorageUnavailable, match="data/secret can be neither read nor created"):
        master_secret("", tmp_path / "data")


def test_each_purpose_has_its_own_key() -> None:
    """Keys of different purposes or secrets differ; the same ones agree."""
    keys = {derive_key(secret, purpose) for secret in (b"one", b"two") for purpose in ("links", "webhooks")}
    assert len(keys) == 4
    assert derive_key(b"one", "links") in keys
