"""Programs from the years of TensorFlow 1 on the TensorFlow of today, unedited.

`import tensorflow as tf` means the TF1 API there: while such a program runs,
`sys.modules["tensorflow"]` is `tensorflow.compat.v1` with its v2 behaviour switched off.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def adapted(source: bytes) -> Iterator[tuple[str, ...]]:
    """Adapt the interpreter to a program for the length of a block; yields what was adapted."""
    if not needs_tf1(source):
        yield ()
        return
    import tensorflow
    import tensorflow.compat.v1 as v1

    v1.disable_v2_behavior()
    sys.modules["tensorflow"] = v1
    try:
        yield ("'import tensorflow' gives tensorflow.compat.v1, v2 behaviour off",)
    finally:
        sys.modules["tensorflow"] = tensorflow


def needs_tf1(source: bytes) -> bool:
    """Whether a program imports plain `tensorflow` and uses names of it that only TF1 had.

    A program that says `compat.v1` anywhere keeps its own switches.
    """
    if b"compat.v1" in source or b"compat import v1" in source:
        return False
    tree = ast.parse(source)
    aliases, imported = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases |= {a.asname or a.name for a in node.names if a.name == "tensorflow"}
        elif isinstance(node, ast.ImportFrom) and node.module == "tensorflow":
            imported |= {a.name for a in node.names}
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
