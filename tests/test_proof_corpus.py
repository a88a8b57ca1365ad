"""The proof against programs whose truth is known: one per way in which a tensor may be a variable."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.tf

PROGRAMS = sorted(Path(__file__).with_name("programs").joinpath("proof").glob("*.py"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_verdict_is_the_truth(zygote, program):
    docstring = ast.get_docstring(ast.parse(program.read_text())) or ""
    truth = re.search(r"^truth: (proved|refuted|unknown)$", docstring, re.MULTILINE)[1]
    function_of = re.search(r"^function of: (.*)$", docstring, re.MULTILINE)

    found = zygote.call("verdict_on", str(program), "w")

    assert found["error"] is None
    assert found["accepted"], found["objections"]
    assert found["verdict"] == truth, found
    if function_of is not None:
        assert found["function_of"] == sorted(
            n for n in re.split(r",\s*", function_of[1].strip()) if n and n != "nothing"
        ), found
