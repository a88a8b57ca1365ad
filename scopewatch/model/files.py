"""Files that somebody names: only an ordinary one is read, for a pipe may never end; one is written whole."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

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


@contextmanager
def write_atomically(file: Path) -> Iterator[Any]:
    """A binary file to write to that takes the place of `file` only once it is complete.

    A link stays one: what it leads to is replaced. A device or a pipe is written to, and stays what it is.
    """
    file = Path(file)
    # Of a name that is too long these say no, where `Path.exists` raises.
    if os.path.exists(file) and not (os.path.isfile(file) or os.path.isdir(file)):
        with _said_in_a_sentence(file), file.open("wb") as stream:
            yield stream
        return
    given, file = file, Path(os.path.realpath(file))
    temporary: Path | None = None
    try:
        with _said_in_a_sentence(given):
            # The name is known before there is a file: Ctrl-C may come at any moment.
            temporary = file.parent / f".{file.name[:60]}.{os.urandom(6).hex()}"
            with open(temporary, "xb") as stream:
                yield stream
            os.replace(temporary, file)
            temporary = None
    finally:
        if temporary is not None:
            with suppress(OSError):  # It may never have come to be.
                temporary.unlink()


@contextmanager
def _said_in_a_sentence(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"cannot write {file}: {error.strerror or error}. Name a file in a folder that can be written."
        ) from error
