"""Which versions of Python and of the packages scopewatch is tested with; `pyproject.toml` declares the same."""

from __future__ import annotations

import re

Version = tuple[int, ...]

PYTHON: tuple[Version, Version] = (3, 10), (3, 14)
PACKAGES: dict[str, tuple[Version, Version]] = {
    "tensorflow": ((2, 16, 1), (2, 22)),
    "tf-keras": ((2, 16), (2, 22)),
    "prompt-toolkit": ((3, 0, 36), (4,)),
    "rich": ((14, 2), (16,)),
    "textual": ((8, 2, 6), (9,)),
    "typer": ((0, 26), (1,)),
}
"""Each with the oldest version, and the first that is too new."""


def requirement(name: str) -> str:
    """What pip is asked for: `rich>=14.2,<16`."""
    oldest, too_new = PACKAGES[name]
    return f"{name}>={_text(oldest)},<{_text(too_new)}"


def tested(name: str) -> str:
    """The versions in words: `2.16 to 2.21`, `8.2.6 or newer, below 9`."""
    oldest, too_new = PYTHON if name == "Python" else PACKAGES[name]
    if len(too_new) == 2 and oldest[0] == too_new[0]:
        return f"{_text(oldest[:2])} to {_text((too_new[0], too_new[1] - 1))}"
    return f"{_text(oldest)} or newer, below {_text(too_new)}"


def is_tested(name: str, version: str) -> bool:
    """Whether a version is one of those; a development version of the one that is too new is not."""
    oldest, too_new = PYTHON if name == "Python" else PACKAGES[name]
    found = numbers(version)
    return oldest <= found < too_new


def numbers(version: str) -> Version:
    """The numbers that a version begins with: `(2, 22, 0)` of `2.22.0-dev20260101`."""
    begin = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(n) for n in begin[0].split(".")) if begin else ()


def _text(version: Version) -> str:
    return ".".join(map(str, version))
