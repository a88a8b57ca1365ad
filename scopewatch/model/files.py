"""Files that somebody names: only an ordinary one is read, for a pipe or a device may never end."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from scopewatch.errors import UsageError

MOST = 256_000_000
"""Bytes of a file that is read at once; a saved certificate or comparison comes to a ten-thousandth."""


def check_ordinary(file: Path, most: int | None = None) -> None:
    """Refuse what can be read without end.

    Raises:
        UsageError: it is a pipe or a device, or holds more than `most` bytes.
        OSError: there is none, or a folder.
    """
    found = os.stat(file)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(f"{file} is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{file} is a pipe or a device, which is not read. Name an ordinary file.")
    if most is not None and found.st_size > most:
        raise UsageError(f"{file} is too large to be read: {found.st_size:,} bytes.")


def read_whole(file: Path) -> bytes:
    """What an ordinary file holds.

    Raises: as `check_ordinary`.
    """
    check_ordinary(file, MOST)
    return file.read_bytes()
