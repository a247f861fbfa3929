import sys
from pathlib import Path

import pytest

from bodydouble.bootstrap.buckets import configured_bucket
from bodydouble.settings import Settings
from bodydouble.tasks.errors import InputRejected


def test_a_bucket_without_its_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The base installation has no package for buckets: the message names the setting and the extra."""
    monkeypatch.setitem(sys.modules, "obstore", None)
    for name in ("bodydouble.store.buckets", "bodydouble.store.objects"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    with pytest.raises(InputRejected, match=r"BODYDOUBLE_FILES is a bucket, .*pip install 'bodydouble\[buckets\]'"):
        configured_bucket(Settings(data=tmp_path, files="s3://bucket"))
