"""Where last runs are kept, and which scenarios there are."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import pytest

from scopewatch.model.cache import cache_file, history_file
from scopewatch.model.scenarios import scenario_folder, scenario_names, scenario_titles
from scopewatch.model.source import opening_docstring, read_source


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


pytestmark = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the folders of Linux")


def test_a_scenario_is_kept_under_its_own_name(tmp_path):
    assert cache_file("dense") == tmp_path / "cache/scopewatch/last/dense.scopelog"
    assert (
        cache_file("pitfalls/w-identity") == cache_file("pitfalls/w-identity").parent / "pitfalls+w-identity.scopelog"
    )


def test_without_the_variable_it_is_the_users_cache(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert cache_file("dense") == Path("/home/someone/.cache/scopewatch/last/dense.scopelog")


@pytest.mark.parametrize(
    ("platform", "folder", "given"),
    [
        ("darwin", "/home/someone/Library/Caches", None),
        ("win32", "/home/someone/AppData/Local", None),
        ("win32", "/data", "/data"),
    ],
)
def test_other_systems_keep_caches_elsewhere(platform, folder, given, monkeypatch):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("LOCALAPPDATA", given or "")
    assert cache_file("dense") == Path(folder) / "scopewatch/last/dense.scopelog"
    assert history_file() == Path(folder) / "scopewatch/play_history"


def test_either_spelling_of_a_scenario_is_the_same_run():
    assert cache_file("pitfalls/w_identity") == cache_file("pitfalls/w-identity")


def test_a_file_is_known_by_its_full_path(tmp_path, monkeypatch):
    here = cache_file("model.py")
    assert cache_file(str(tmp_path / "model.py")) == here
    assert cache_file("./model.py") == here
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    assert cache_file("model.py") != here
    assert cache_file("../model.py") == here


def test_functions_of_one_file_are_told_apart():
    assert len({cache_file("m.py"), cache_file("m.py:f"), cache_file("m.py:g")}) == 3


def test_a_file_called_like_a_scenario_is_that_file(tmp_path):
    scenario = cache_file("dense")
    (tmp_path / "dense").touch()
    assert cache_file("dense") != scenario


@pytest.mark.parametrize("target", ["../../etc/passwd", "a/b/c", "x" * 5_000, "\udcff", "pkg.mod:f", "C:\\x.py"])
def test_no_target_leads_out_of_the_folder(target):
    assert cache_file(target).parent == cache_file("dense").parent
    assert len(cache_file(target).name) < 100


def test_scenarios_and_their_titles():
    names = scenario_names()
    assert "dense" in names
    assert {n for n in names if n.startswith("pitfalls/")} >= {
        f"pitfalls/w-{n}" for n in ("get-variable", "initial-value", "no-collection", "identity", "assigned")
    }
    titles = scenario_titles()
    assert list(titles) == names
    assert all(t and t != n and not t.endswith(".") for n, t in titles.items())


@pytest.mark.parametrize("file", sorted(scenario_folder().rglob("*.py")), ids=lambda f: f.stem)
def test_a_scenario_is_an_ordinary_program_that_says_what_to_notice(file):
    source = file.read_bytes()
    assert opening_docstring(source)
    assert b"What to notice:" in source
    tree = ast.parse(source)
    imported = {a.name for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom)) for a in n.names}
    imported |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert not any("scopewatch" in (name or "") for name in imported)
    assert max(len(line) for line in source.decode().splitlines()) <= 120


@pytest.mark.parametrize(
    ("source", "title"),
    [
        (b'"""One line."""', "One line"),
        (b'"""\nFirst.\n\nMore."""', "First"),
        (b"x = 1", None),
        (b'""""""', None),
        (b'"""   """', None),
        (b"def (", None),
        (b"\x00", None),
        (b"# coding: latin-1\n'''caf\xe9'''", "café"),
    ],
)
def test_the_first_line_of_a_docstring(source, title):
    assert opening_docstring(source) == title


def test_one_line_of_a_source_file(tmp_path):
    file = tmp_path / "m.py"
    file.write_text("a = 1\n    b = 2\n")
    assert read_source(str(file), 2) == "b = 2"
    assert read_source(str(file), 9) == ""
    assert read_source(os.fspath(tmp_path / "none.py"), 1) == ""
