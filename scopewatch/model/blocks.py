"""The lines of a log, many at a time, for as long as they are of a size that a log may have.

A few kilobytes can be packed so that they unpack without end.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scopewatch.errors import LogFileError

LARGE = 1_000_000
"""Bytes that are read, and parsed, at once; of a longer line alone more is taken."""
LONGEST = 128_000_000
"""Bytes of the longest line that is parsed at once: the paths of ten million ops need a tenth of it."""
FREE = 64_000_000
MOST_PACKED = 100
"""Bytes that a log may unpack to, whatever its size, and for each byte of the file: real logs come to 10 to 30."""
MOST_LINES = 5_000_000
"""Lines that a log may have, one for each event."""


class Packed(bytes):
    """A long line, compressed: it is parsed when somebody asks for what it holds."""

    def parse(self) -> Any:
        """What the line holds."""
        return json.loads(zlib.decompress(self))


class Blocks:
    """The lines of an open log, as data."""

    def __init__(self, stream: Any, file: Path) -> None:
        self._stream, self._file = stream, file
        self._lines = 0
        self._left = max(FREE, MOST_PACKED * os.stat(file).st_size)

    def first(self) -> Any:
        """The first line; to be asked for before the others, which may be of another version."""
        return json.loads(self._rest(self._readline()) or b"null")

    def others(self, late: bytes) -> Iterator[list[Any] | Packed]:
        """The lines after it, many together; one that begins with `late` and is long by itself and unparsed.

        Raises:
            LogFileError: the file is larger than any log.
            ValueError: a line is no JSON.
        """
        while block := self._count(self._stream.read(LARGE)):
            if not block.endswith(b"\n"):
                block += self._readline()
            if block.endswith(b"\n") or len(block) < LARGE:
                yield _parsed(block)
                continue
            whole, _, begun = block.rpartition(b"\n")
            yield _parsed(whole)
            yield self._packed(begun) if begun.startswith(late) else [json.loads(self._rest(begun))]

    def _readline(self) -> bytes:
        return self._count(self._stream.readline(LARGE))

    def _count(self, read: bytes) -> bytes:
        self._left -= len(read)
        self._lines += read.count(b"\n")
        if self._left < 0 or self._lines > MOST_LINES:
            raise LogFileError(f"{self._file} is not a scopewatch log: it unpacks to more than any log holds.")
        return read

    def _pieces(self, begun: bytes) -> Iterator[bytes]:
        """A line that has begun, to its end."""
        piece = begun
        while piece:
            yield piece
            piece = b"" if piece.endswith(b"\n") else self._readline()

    def _packed(self, begun: bytes) -> Packed:
        packer = zlib.compressobj(1)
        packed = [packer.compress(piece) for piece in self._pieces(begun)]
        return Packed(b"".join([*packed, packer.flush()]))

    def _rest(self, begun: bytes) -> bytes:
        pieces, size = [], 0
        for piece in self._pieces(begun):
            pieces.append(piece)
            size += len(piece)
            if size > LONGEST:
                raise LogFileError(f"{self._file} is not a scopewatch log: it has a line of over {LONGEST:,} bytes.")
        return b"".join(pieces)


def _parsed(block: bytes) -> list[Any]:
    """Lines parsed all at once, which costs half as much as one by one."""
    lines = block.removesuffix(b"\n")
    rows: list[Any] = json.loads(b"[" + lines.replace(b"\n", b",") + b"]")
    if len(rows) != (lines.count(b"\n") + 1 if block else 0):
        raise ValueError("a line that holds more or less than one value")
    return rows
