"""Programs from the years of TensorFlow 1 on the TensorFlow of today, unedited.

`import tensorflow as tf` means the TF1 API there: while such a program runs,
`sys.modules["tensorflow"]` is `tensorflow.compat.v1` with its v2 behaviour switched off.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from scopewatch.record import contrib

_MOST_MODULES = 200


@contextmanager
def adapted(source: bytes, folder: Path) -> Iterator[tuple[str, ...]]:
    """Adapt the interpreter to a program for the length of a block; yields what was adapted.

    Args:
        source: the program.
        folder: where the modules of its own stand; `train.py` may leave all of TensorFlow to `model.py`.
    """
    sources = [source, *_own_modules(source, folder)]
    if _says_v1(source) or not any(needs_tf1(s) for s in sources):
        yield ()
        return
    import tensorflow
    import tensorflow.compat.v1 as v1

    v1.disable_v2_behavior()
    done = ["'import tensorflow' gives tensorflow.compat.v1, v2 behaviour off"]
    with ExitStack() as stack:
        if any(b"contrib" in s for s in sources):
            has_slim = stack.enter_context(contrib.served(v1))
            slim = "what lives on in tf-slim" if has_slim else "nothing of tf-slim, which is not installed"
            done.append(f"tf.contrib gives {slim}")
        # `import tensorflow.python.x as z` looks for the attribute of the module that was swapped in.
        v1.python = sys.modules["tensorflow.python"]
        stack.callback(delattr, v1, "python")
        stack.callback(sys.modules.__setitem__, "tensorflow", tensorflow)
        sys.modules["tensorflow"] = v1
        yield tuple(done)


def _says_v1(source: bytes) -> bool:
    return b"compat.v1" in source or b"compat import v1" in source


def _own_modules(source: bytes, folder: Path) -> Iterator[bytes]:
    """The sources of the modules below `folder` that a program imports, directly or not."""
    seen: set[Path] = set()
    pending = [(source, folder)]
    while pending and len(seen) < _MOST_MODULES:
        text, here = pending.pop()
        for file in _imported_files(text, folder, here) - seen:
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

    A program that says `compat.v1` anywhere keeps its own switches.
    """
    if _says_v1(source):
        return False
    tree = ast.parse(source)
    aliases, imported = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases |= {a.asname or a.name for a in node.names if a.name == "tensorflow"}
            imported |= {"contrib" for a in node.names if a.name.startswith("tensorflow.contrib")}
        elif isinstance(node, ast.ImportFrom) and node.module == "tensorflow":
            imported |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tensorflow.contrib"):
            imported.add("contrib")
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases
    }
    names = used | imported
    if not names:
        return False
    import tensorflow

    return any(name in ("contrib", "layers") or not hasattr(tensorflow, name) for name in names)
