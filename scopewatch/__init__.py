"""A debugger for TensorFlow variable scopes."""

__version__ = "0.1.0"
