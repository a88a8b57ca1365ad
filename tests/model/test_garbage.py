"""While no garbage arises Python's collector stands still, and does not make up for it afterwards."""

import gc

import pytest

from scopewatch.model.garbage import no_collections


@pytest.fixture
def collecting():
    """Whatever went before, the collector is on, and is as it was afterwards."""
    was_enabled = gc.isenabled()
    gc.enable()
    yield
    gc.unfreeze()
    if not was_enabled:
        gc.disable()


def test_what_was_made_meanwhile_counts_as_old(collecting):
    with no_collections():
        assert not gc.isenabled()
        made = [[i] for i in range(1000)]
    assert gc.isenabled()
    young = {id(o) for generation in (0, 1) for o in gc.get_objects(generation)}
    assert young.isdisjoint(map(id, made))
    assert gc.get_freeze_count() == 0


def test_what_a_program_froze_stays_so(collecting):
    gc.freeze()
    frozen = gc.get_freeze_count()
    with no_collections():
        pass
    assert gc.get_freeze_count() == frozen


def test_a_collector_that_was_off_stays_off(collecting):
    gc.disable()
    with no_collections():
        pass
    assert not gc.isenabled()
