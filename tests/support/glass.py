"""What stands on the glass of a terminal after some output: the few codes that a line of progress uses."""

from __future__ import annotations

import re

_PIECE = re.compile(r"\x1b\[(?P<many>[0-9;?]*)(?P<code>[A-Za-z])|\x1b(?P<plain>[78D])|(?P<char>[^\x1b])", re.DOTALL)


def glass(written: str, columns: int = 80, lines: int = 24) -> list[str]:
    """The lines on the screen, without what is empty at the end."""
    rows = [[" "] * columns for _ in range(lines)]
    row = column = 0
    kept = (0, 0)

    def down() -> None:
        nonlocal row
        if row == lines - 1:
            rows.append(rows.pop(0))
            rows[-1][:] = [" "] * columns
        else:
            row += 1

    for found in _PIECE.finditer(written):
        char, plain, code = found["char"], found["plain"], found["code"]
        if char == "\n" or plain == "D":
            down()
        elif char == "\r":  # A column past the last is still that line's.
            column = 0
        elif char is not None:
            if column == columns:
                column = 0
                down()
            rows[row][column] = char
            column += 1
        elif plain == "7":
            kept = row, column
        elif plain == "8":
            row, column = kept
        elif code == "A":
            row = max(row - 1, 0)
        elif code == "B":
            row = min(row + 1, lines - 1)
        elif code == "K":
            rows[row][slice(None) if found["many"] == "2" else slice(column, None)] = [" "] * (
                columns if found["many"] == "2" else columns - column
            )
        else:
            assert code == "m", f"not known here: {found[0]!r}"
    text = ["".join(cells).rstrip() for cells in rows]
    while text and not text[-1]:
        text.pop()
    return text
