"""Programs from the years of TensorFlow 1 on the TensorFlow of today, unedited.

`import tensorflow as tf` means the TF1 API there: while such a program runs,
`sys.modules["tensorflow"]` is `tensorflow.compat.v1` with its v2 behaviour switched off.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from scopewatch.record import contrib, moved
from scopewatch.record.internals import take_away

_MOST_MODULES = 200
_MOST_NAMES = 6


@dataclass
class Adaptations:
    """What was adapted, as the screen words it."""

    said: list[str] = field(default_factory=list)
    used: dict[str, None] = field(default_factory=dict)
    contrib: dict[str, None] = field(default_factory=dict)

    def told(self) -> tuple[str, ...]:
        """Everything that was adapted, once the program has ended."""
        if not self.contrib:
            return (*self.said, *self.used)
        names = list(self.contrib)
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        return (*self.said, *self.used, f"tf.contrib is what lives on of it: {', '.join(names[:_MOST_NAMES])}{more}")


@contextmanager
def adapted(source: bytes, folder: Path, here: Path, enabled: bool = True) -> Iterator[Adaptations]:
    """Adapt the interpreter to a program for the length of a block; yields what is adapted.

    Args:
        source: the program.
        folder: where the modules of its own stand; `train.py` may leave all of TensorFlow to `model.py`.
        here: where the program itself stands, for its relative imports.
        enabled: whether to adapt anything at all.
    """
    done = Adaptations()
    if not enabled:
        yield done
        return
    import tensorflow
    import tensorflow.compat.v1 as v1

    sources = [source, *_own_modules(source, folder, here)]
    with ExitStack() as stack:
        stack.enter_context(moved.modules_found(lambda said: done.used.setdefault(said)))
        is_old = any(needs_tf1(s) for s in sources) if not _says_v1(source) else any(needs_contrib(s) for s in sources)
        if is_old:
            v1.disable_v2_behavior()
            done.said.append("'import tensorflow' gives tensorflow.compat.v1, v2 behaviour off")
            # `import tensorflow.python.x as z` looks for the attribute of the module that was swapped in.
            v1.python = sys.modules["tensorflow.python"]
            stack.callback(take_away, v1, "python")
            stack.callback(sys.modules.__setitem__, "tensorflow", tensorflow)
        # A library may ask for contrib where the program itself says compat.v1: Sonnet 1 does.
        if is_old or not any(b"contrib" in s for s in sources):
            stack.enter_context(contrib.served(v1 if is_old else None, lambda name: done.contrib.setdefault(name)))
        if is_old:
            old_names = moved.put_back(stack, sources)
            if old_names:
                done.said.append(f"old names are what they are called today: {', '.join(old_names)}")
            sys.modules["tensorflow"] = v1
        yield done


def _says_v1(source: bytes) -> bool:
    return b"compat.v1" in source or b"compat import v1" in source


def _own_modules(source: bytes, folder: Path, here: Path) -> Iterator[bytes]:
    """The sources of the modules below `folder` that a program imports, directly or not."""
    seen: set[Path] = set()
    pending = [(source, here)]
    while pending and len(seen) < _MOST_MODULES:
        text, place = pending.pop()
        for file in _imported_files(text, folder, place) - seen:
            seen.add(file)
            try:
                found = file.read_bytes()
                ast.parse(found)
            except (OSError, SyntaxError, ValueError):
                continue  # Python itself will say so when the program imports it.
            yield found
            pending.append((found, file.parent))


def _imported_files(source: bytes, folder: Path, here: Path) -> set[Path]:
    files: set[Path] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
            base = folder
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names = [module, *(f"{module}.{a.name}".lstrip(".") for a in node.names)]
            base = here if node.level else folder
            for _ in range(node.level - 1):
                base = base.parent
        else:
            continue
        for name in filter(None, names):
            path = base.joinpath(*name.split("."))
            files |= {f for f in (path.with_suffix(".py"), path / "__init__.py") if f.is_file()}
    return files


def needs_tf1(source: bytes) -> bool:
    """Whether a program imports plain `tensorflow` and uses names of it that only TF1 had.

    A program that says `compat.v1` anywhere keeps its own switches, unless it `needs_contrib`.
    """
    if _says_v1(source):
        return False
    tree = ast.parse(source)
    aliases, names = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases |= {a.asname or a.name for a in node.names if a.name == "tensorflow"}
            names |= {"contrib" for a in node.names if a.name.startswith("tensorflow.contrib")}
        elif isinstance(node, ast.ImportFrom) and node.module == "tensorflow":
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tensorflow.contrib"):
            names.add("contrib")
    chains = (_chain(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    names |= {".".join(chain[1:]) for chain in chains if chain and chain[0] in aliases}
    return any(_only_in_tf1(name) for name in names)


def needs_contrib(source: bytes) -> bool:
    """Whether a module cannot even be imported without `tensorflow.contrib`: only TensorFlow 1 could run it.

    An import inside `try`, `if` or a function does not count: such a program knows how to go on without.
    """
    names = set()
    for node in ast.parse(source).body if b"contrib" in source else ():
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {f"{node.module}.{a.name}" for a in node.names}
    return any(f"{name}.".startswith(f"{contrib.ROOT}.") for name in names)


def _chain(node: ast.expr) -> list[str]:
    """The names of `tf.train.AdamOptimizer`; none for what is no chain of names."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return [*reversed([*names, node.id])] if isinstance(node, ast.Name) else []


def _only_in_tf1(name: str) -> bool:
    """Whether `train.AdamOptimizer` is a name that TensorFlow 2 has not."""
    import tensorflow
    import tensorflow.compat.v1 as v1

    first, *rest = name.split(".")
    if first in ("contrib", "layers"):
        return True
    if first == "keras":  # Loading it takes seconds, and it is no sign of TF1.
        return False
    if not hasattr(tensorflow, first):
        return True
    now, then = getattr(tensorflow, first), getattr(v1, first, None)
    return bool(rest) and isinstance(now, ModuleType) and not hasattr(now, rest[0]) and hasattr(then, rest[0])
