"""Small parts of TensorFlow 1 that ended with it and built no graph: written anew, with what programs use of them."""

from __future__ import annotations

import json
import re
from types import ModuleType
from typing import Any


class ModeKeys:
    """The modes of `tf.contrib.learn`: plain words."""

    TRAIN = "train"
    EVAL = "eval"
    INFER = "infer"


class _Estimator(ModuleType):
    """`tf.estimator` ended with TensorFlow 2.16; the words for its modes are what model functions ask."""

    class ModeKeys:
        """The modes: plain words."""

        TRAIN = "train"
        EVAL = "eval"
        PREDICT = "infer"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(f"tf.estimator.{name} ended with TensorFlow 2.16 and has no equivalent")


Estimator = _Estimator("tensorflow.estimator")


class HParams:
    """The hyperparameters of `tf.contrib.training`: values by name, each keeping its type."""

    def __init__(self, hparam_def: Any = None, model_structure: Any = None, **kwargs: Any) -> None:
        if hparam_def is not None:
            raise ValueError("HParams: hparam_def, a protocol buffer of TensorFlow 1, is not supported.")
        self._names: dict[str, tuple[type, bool]] = {}
        self._model_structure = model_structure
        for name, value in kwargs.items():
            self.add_hparam(name, value)

    def add_hparam(self, name: str, value: Any) -> None:
        """Add a hyperparameter; its type is that of `value`, of a list that of its first element."""
        if getattr(self, name, None) is not None:
            raise ValueError(f"Hyperparameter name is reserved: {name}")
        is_list = isinstance(value, (list, tuple))
        if is_list and not value:
            raise ValueError(f"Multi-valued hyperparameters cannot be empty: {name}")
        self._names[name] = (type(value[0] if is_list else value), is_list)
        setattr(self, name, list(value) if is_list else value)

    def set_hparam(self, name: str, value: Any) -> None:
        """Change a hyperparameter that exists."""
        kind, is_list = self._names[name]
        if is_list != isinstance(value, (list, tuple)):
            raise ValueError(f"Must {'' if is_list else 'not '}pass a list for multi-valued parameter: {name}.")
        setattr(self, name, [_cast(name, kind, v) for v in value] if is_list else _cast(name, kind, value))

    def del_hparam(self, name: str) -> None:
        """Remove a hyperparameter."""
        if hasattr(self, name):
            delattr(self, name)
            del self._names[name]

    def parse(self, values: str) -> HParams:
        """Change values by a text such as `size=3,rates=[0.1,0.2]`."""
        for name, bracketed, plain in re.findall(r"(\w+)\s*=\s*(?:\[([^\]]*)\]|([^,]*))", values):
            if name not in self._names:
                raise ValueError(f"Unknown hyperparameter type for {name}")
            kind, is_list = self._names[name]
            texts = [t.strip() for t in bracketed.split(",")] if is_list else [plain.strip()]
            parsed = [_parsed(kind, t) for t in texts]
            self.set_hparam(name, parsed if is_list else parsed[0])
        return self

    def override_from_dict(self, values_dict: dict[str, Any]) -> HParams:
        """Change values by a dictionary."""
        for name, value in values_dict.items():
            self.set_hparam(name, value)
        return self

    def parse_json(self, values_json: str) -> HParams:
        """Change values by a JSON object."""
        return self.override_from_dict(json.loads(values_json))

    def values(self) -> dict[str, Any]:
        """All values by name."""
        return {name: getattr(self, name) for name in self._names}

    def to_json(self, indent: Any = None, separators: Any = None, sort_keys: bool = False) -> str:
        """All values as a JSON object."""
        kept = {name: value for name, value in self.values().items() if not callable(value)}
        return json.dumps(kept, indent=indent, separators=separators, sort_keys=sort_keys)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a hyperparameter, or `default`."""
        return getattr(self, key) if key in self._names else default

    def get_model_structure(self) -> Any:
        """What was given as model structure."""
        return self._model_structure

    def set_model_structure(self, model_structure: Any) -> None:
        """Change the model structure."""
        self._model_structure = model_structure

    def __contains__(self, key: str) -> bool:
        return key in self._names

    def __repr__(self) -> str:
        return f"HParams({sorted(self.values().items())})"

    __str__ = __repr__


def _cast(name: str, kind: type, value: Any) -> Any:
    if value is None or kind is type(None) or isinstance(value, kind):
        return value
    if kind is float and isinstance(value, int):
        return float(value)
    if issubclass(kind, (int, float)) and isinstance(value, (int, float)) and float(value) == int(value):
        return kind(value)
    raise ValueError(f"Could not cast hparam '{name}' of type '{kind.__name__}' from value {value!r}")


def _parsed(kind: type, text: str) -> Any:
    if kind is bool:
        return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
    return text if kind is type(None) else kind(text)
