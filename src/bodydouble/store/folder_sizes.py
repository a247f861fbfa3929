"""How many bytes the files of a folder hold."""

import os
import threading
from collections import OrderedDict
from pathlib import Path

FOLDERS_MAX = 256
"""Number of folders whose sizes are kept: the most recently used ones."""


class FolderSizes:
    """Sums of stored files, which never change: the size of each is asked of the disk once.

    Without it every upload would ask for the sizes of all files that its account has, and the other requests of the
    process would wait for that.
    """

    def __init__(self) -> None:
        self._sizes: OrderedDict[Path, dict[str, int]] = OrderedDict()
        self._lock = threading.Lock()

    def total(self, folder: Path) -> int:
        """Bytes of the files in ``folder``; 0 if there is no folder. Raises OSError."""
        with self._lock:
            known = self._sizes.get(folder, {})
        try:
            with os.scandir(folder) as entries:
                sizes = {entry.name: known.get(entry.name) or _size(entry) for entry in entries}
        except FileNotFoundError:
            return 0
        with self._lock:
            self._sizes[folder] = sizes
            self._sizes.move_to_end(folder)
            if len(self._sizes) > FOLDERS_MAX:
                self._sizes.popitem(last=False)
        return sum(sizes.values())


def growing_bytes(folder: Path, prefix: str) -> int:
    """Bytes that the files named ``prefix``... hold at this moment; 0 if there is no folder. Raises OSError."""
    try:
        with os.scandir(folder) as entries:
            return sum(_size(entry) for entry in entries if entry.name.startswith(prefix))
    except FileNotFoundError:
        return 0


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size if entry.is_file() else 0
    except FileNotFoundError:  # removed meanwhile
        return 0
