"""Golden screens of the stepper: places of some scenarios, at two sizes, as text.

`SCOPEWATCH_REWRITE=1 python -m pytest tests/golden` writes them anew; look at what changed (`git diff`).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.golden.test_screens import REWRITE, assert_same
from tests.support.stepping import screens

pytestmark = pytest.mark.tf

FOLDER = Path(__file__).parent / "steps"
SIZES = [(80, 24), (120, 40)]
WAYS: dict[str, list[str | list[str]]] = {
    "dense": ["r", "n", ["g", "w", "enter"], "end", "l", "c", ["end", "b"], "n", "question_mark"],
    "rnn": [["g", "w", "enter"], "c", "end"],
    "gan": [["r"] * 7, "s", "l", "l", "end"],
    "openai": [["slash", "g", "$", "enter"], "n", "n", "n"],
    "pitfalls/forgotten-reuse": ["end", "R", "b"],
    "pitfalls/auto-reuse-shares-two-layers": ["end", "R", "home"],
    "pitfalls/eager": ["end"],
    "pitfalls/adam-under-reuse": ["end", "R"],
}


@pytest.mark.parametrize("scenario", WAYS)
def test_steps_of(scenario, record_program):
    """The first place, then the place after each of the keys."""
    log = record_program(scenario)
    text = ""
    for size in SIZES:
        shown = screens(log, WAYS[scenario], size, target=scenario)
        for keys, screen in zip(["", *WAYS[scenario]], shown, strict=True):
            assert max(map(cell_len, screen.split("\n"))) <= size[0]
            text += f"### {size[0]}x{size[1]}, after: {keys if isinstance(keys, str) else ' '.join(keys)}\n{screen}"
    file = FOLDER / f"{scenario.replace('/', '+')}.txt"
    if REWRITE:
        FOLDER.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert file.is_file(), "not there yet: write it with SCOPEWATCH_REWRITE=1"
    assert_same(text, file.read_text(encoding="utf-8"))


def test_there_is_no_file_of_a_way_that_is_gone():
    assert {file.name for file in FOLDER.iterdir()} == {f"{name.replace('/', '+')}.txt" for name in WAYS}
