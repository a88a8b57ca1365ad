"""The gradient of a tensor inside a loop: what its op receives at each iteration, tapped and summed.

Such a gradient cannot be fetched (control flow v1) or asked for (v2). The op's gradient function is
replaced, through the op's own attribute, by one that hands each gradient it receives to Python and
passes it on. Over the iterations they sum to the gradient of the same tensor computed outside.
"""

from __future__ import annotations

import itertools
import threading
from typing import Any

from scopewatch.record.internals import set_gradient_type

_NUMBERS = itertools.count()  # TensorFlow's registry of gradients cannot forget a name.


class Taps:
    """The taps on the ops of some tensors, and the sums of what passed them in the last run."""

    def __init__(self) -> None:
        self.sums: dict[str, Any] = {}
        self.tapped: set[str] = set()
        self._ops: dict[int, list[tuple[int, str]]] = {}
        # TensorFlow runs iterations that do not wait for each other in several threads at once.
        self._adding = threading.Lock()

    def place(self, tensor: str, op: Any, output: int) -> None:
        """Tap what an op receives for one of its outputs; ops without a gradient are left alone."""
        from tensorflow.python.framework import ops

        if tensor in self.tapped:
            return
        known = self._ops.get(id(op))
        if known is not None:
            known.append((output, tensor))
            self.tapped.add(tensor)
            return
        try:
            original = ops.get_gradient_function(op)
        except LookupError:
            return
        if original is None or op.type in ("While", "StatelessWhile", "If", "StatelessIf", "Enter", "Exit"):
            return
        self.tapped.add(tensor)
        outputs = self._ops[id(op)] = [(output, tensor)]
        name = f"ScopewatchTap{next(_NUMBERS)}"

        def tapped_gradient(of: Any, *grads: Any) -> Any:
            handed = list(grads)
            for index, key in outputs:
                if index < len(handed) and hasattr(handed[index], "op"):
                    handed[index] = self._through(key, handed[index])
            return original(of, *handed)

        ops.RegisterGradient(name)(tapped_gradient)
        set_gradient_type(op, name)

    def clear(self) -> None:
        """Forget the sums, before a run."""
        self.sums.clear()

    def _through(self, key: str, grad: Any) -> Any:
        import tensorflow.compat.v1 as tf

        def add(value: Any) -> Any:
            wide = value.astype("complex128" if value.dtype.kind == "c" else "float64")
            with self._adding:
                before = self.sums.get(key)
                self.sums[key] = wide if before is None else before + wide
            return value

        passed = tf.numpy_function(add, [grad], grad.dtype)
        passed.set_shape(grad.shape)
        return passed
