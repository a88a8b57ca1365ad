"""A debugger for TensorFlow variable scopes.

`with scopewatch.watch() as log:` watches code of your own. What stands here is loaded when it is
first asked for: importing the package imports neither TensorFlow nor Rich.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scopewatch.library import Log, load_log, prove, watch

__version__ = "0.1.0"
__all__ = ["Log", "load_log", "prove", "watch"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module("scopewatch.library"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
