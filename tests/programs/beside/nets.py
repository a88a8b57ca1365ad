"""Relative imports, and a module-level tensor."""
from . import blocks
from .blocks import WIDTH, linear


class Net:
    depth = 2

    def __call__(self, x):
        for i in range(self.depth):
            x = linear(x, WIDTH, f"layer_{i}")
        return blocks.linear(x, 1, "head")
