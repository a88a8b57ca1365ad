"""`run --try`: the program as it is, then with each fix that is a flag, each in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from scopewatch.commands.output import progress
from scopewatch.errors import ScopewatchError
from scopewatch.model.error_card import ErrorCard, Trial, build_error_card, judge_trial, steps_before
from scopewatch.model.log import Log
from scopewatch.record.forked import in_fork
from scopewatch.record.session import Wishes, load_tensorflow, record, watch


def record_in_fork(target: str, wishes: Wishes) -> Log:
    """`record` in a process of its own, so that this one stays fit to be forked again."""
    wishes.progress("loading TensorFlow")
    load_tensorflow()
    wishes.progress(f"running {target}")
    return in_fork(lambda: _recorded(target, wishes), silent=False)


def _recorded(target: str, wishes: Wishes) -> Log:
    """In the child, which tells on a line of its own what it does."""
    with progress() as say:
        return record(target, replace(wishes, progress=say))


def try_fixes(log: Log, target: str, wishes: Wishes, say: Callable[..., None]) -> list[Trial]:
    """What each fix leads to, up to the first step; ends with the first that builds."""
    card = build_error_card(log)
    trials: list[Trial] = []
    fixes = card.to_try if card is not None else ()
    for number, fix in enumerate(fixes, start=1):
        assert card is not None and fix.override is not None
        say(f"trying {fix.override.flag} on {fix.override.scope or 'the root scope'}", number, len(fixes))
        until = wishes.until if steps_before(card, log) else "built"
        changed = replace(wishes, until=until, prove=(), loss=None, overrides=(fix.override,))
        try:
            trials.append(judge_trial(fix, card, _built(target, changed)))
        except ScopewatchError as error:
            trials.append(_failed(card, fix, str(error)))
        if trials[-1].builds:
            break
    return trials


def _built(target: str, wishes: Wishes) -> Log:
    return in_fork(lambda: watch(target, wishes, lambda watched, _: watched.log), silent=True)


def _failed(card: ErrorCard, fix: object, error: str) -> Trial:
    chosen = next(f for f in card.fixes if f is fix)
    return Trial(chosen, False, error, None, 0, (), "not asked")
