"""Golden screens: what `run` shows of each bundled scenario, at 80 columns without colour.

`SCOPEWATCH_REWRITE=1 python -m pytest tests/golden` writes them anew; look at what changed (`git diff`).
Their numbers are those of the machine that wrote them: a digit at the end may differ on another, so
numbers are compared by value, and all else letter by letter.
"""

from __future__ import annotations

import os
import re
from importlib.metadata import version
from pathlib import Path

import pytest
from rich.cells import cell_len

from scopewatch.model.scenarios import scenario_names
from scopewatch.model.supported import numbers as numbers_of
from scopewatch.views.run import VIEWS
from tests.support.zygote import ROOT

pytestmark = pytest.mark.tf

SCREENS = Path(__file__).parent / "screens"
REWRITE = bool(os.environ.get("SCOPEWATCH_REWRITE"))
RELATIVE = 0.02
NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(?:e[+-]\d+)?")


@pytest.mark.parametrize("scenario", scenario_names())
def test_screens_of(scenario, run_cli):
    """The first screen, then each view in full, in one file."""
    skip_where_numbers_are_others(scenario)
    views = [word for name in VIEWS for word in ("--view", name)]
    status, out, err = run_cli(["run", scenario, *views], cwd=ROOT)  # Where paths are short on every machine.
    assert err == ""
    assert [line for line in out.splitlines() if cell_len(line) > 80] == []
    text = scrubbed(f"$ scopewatch run {scenario} {' '.join(views)}\n{out}\nexit status {status}\n") + "\n"
    file = SCREENS / f"{scenario.replace('/', '+')}.txt"
    if REWRITE:
        file.write_text(text, encoding="utf-8")
    assert file.is_file(), "not there yet: write it with SCOPEWATCH_REWRITE=1"
    assert_same(text, file.read_text(encoding="utf-8"))


def test_there_is_no_screen_of_a_scenario_that_is_gone():
    expected = {f"{name.replace('/', '+')}.txt" for name in scenario_names()}
    files = {file.name for file in SCREENS.iterdir()}
    if REWRITE:
        for name in files - expected:
            (SCREENS / name).unlink()
        return
    assert files == expected


@pytest.mark.parametrize("name", [name for name in scenario_names() if name == "dense"])
def test_the_first_screen_of_dense_fits_the_projector(name, run_cli):
    _, out, _ = run_cli(["run", name])
    lines = out.splitlines()
    own = [line for line in lines if not line.startswith("step ")]
    assert len(own) <= 24
    assert max(map(cell_len, lines)) <= 80
    assert any("PROOF" in line for line in own[-4:])


def skip_where_numbers_are_others(scenario):
    """Without a seed of its own, a random op takes the number of ops before it for one: `dynamic_rnn` builds others."""
    written_with = (2, 21)
    if scenario.startswith("rnn") and numbers_of(version("tensorflow"))[:2] < written_with:
        pytest.skip("an older dynamic_rnn builds other ops before the first random one, whose seed counts them")


def scrubbed(text):
    """Without what is different at every run; trailing spaces say nothing."""
    text = re.sub(r"TensorFlow \d+\.\d+[.…]\S*", "TensorFlow VERSION", text)
    text = re.sub(r"\| [\d,]+ ops", "| SOME ops", text)  # As many as this version of TensorFlow builds.
    text = re.sub(r"recorded \d{4}-\d\d-\d\d \d\d:\d\d UTC", "recorded DATE", text)
    text = re.sub(r"relative error \S+, rounding allows", "relative error SMALL, rounding allows", text)
    return "\n".join(re.sub(r"  +(TensorFlow VERSION)", r"  \1", line.rstrip()) for line in text.splitlines())


def assert_same(text, golden):
    """Equal but for the last digits of numbers and the spaces that their length takes."""
    assert words(text) == words(golden)
    for mine, theirs in zip(numbers(text), numbers(golden), strict=True):
        assert mine == pytest.approx(theirs, rel=RELATIVE, abs=1e-6)


def words(text):
    return [re.sub(r" +", " ", NUMBER.sub("NUMBER", line)) for line in text.splitlines()]


def numbers(text):
    return [float(number) for number in NUMBER.findall(text)]
