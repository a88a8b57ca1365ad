"""The stepper, driven without a terminal: keys and clicks go in, the screen comes out as text."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from textual.pilot import Pilot

from scopewatch.model.journey import build_journey
from scopewatch.model.log import Log
from scopewatch.views.stepper.app import StepApp


def drive(
    log: Log, script: Callable[[Pilot[None]], Awaitable[Any]], size: tuple[int, int] = (80, 24), **options: Any
) -> Any:
    """What a script returns that is given the pilot of the running app."""

    async def run() -> Any:
        journey = build_journey(log, at_once=options.pop("at_once", True))
        app = StepApp(journey, options.pop("target", "model.py"), **options)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            return await script(pilot)

    return asyncio.run(run())


def screens(
    log: Log, keys: Sequence[str | Sequence[str]], size: tuple[int, int] = (80, 24), **options: Any
) -> list[str]:
    """The screen at the beginning and after each of these keys; several together where they are a list."""

    async def script(pilot: Pilot[None]) -> list[str]:
        found = [text_of(pilot)]
        for pressed in keys:
            await pilot.press(*([pressed] if isinstance(pressed, str) else pressed))
            await pilot.pause()
            await pilot.app.workers.wait_for_complete()
            found.append(text_of(pilot))
        return found

    return drive(log, script, size, **options)  # type: ignore[no-any-return]


def screen_after(log: Log, *keys: str, size: tuple[int, int] = (80, 24), **options: Any) -> str:
    """The screen after all of these keys."""
    return screens(log, [keys] if keys else [], size, **options)[-1]


def text_of(pilot: Pilot[None]) -> str:
    """The screen as its lines, without colour and trailing spaces."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips) + "\n"
