"""Checkpoints as TensorFlow itself saves and restores them; each function runs in a process of its own."""

from __future__ import annotations

from typing import Any


def _build(program: str) -> Any:
    """Run a program as Python does; its module's names."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with open(program, encoding="utf-8") as file:
        exec(compile(file.read(), program, "exec", dont_inherit=True), namespace)
    return namespace


def save_checkpoint(program: str, path: str) -> dict[str, list[int]]:
    """Save all that the default `Saver` of a program's graph keeps; its keys and shapes as TensorFlow lists them."""
    import tensorflow.compat.v1 as tf

    _build(program)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, path, write_meta_graph=False)
    return {key: list(shape) for key, shape in tf.train.list_variables(path)}


def restore_checkpoint(program: str, path: str) -> dict[str, Any]:
    """Restore a checkpoint into a program's graph, whole and then key by key."""
    import tensorflow.compat.v1 as tf

    _build(program)
    groups: dict[str, list[Any]] = {}
    for variable in tf.global_variables():
        info = variable._get_save_slice_info()
        key = info.full_name if info is not None else getattr(variable, "_shared_name", variable.op.name)
        groups.setdefault(key, []).append(variable)
    found: dict[str, Any] = {"missing": [], "raises": [], "silent": [], "whole": "restored"}
    savers = {key: tf.train.Saver(parts) for key, parts in groups.items()}
    whole = tf.train.Saver()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        try:
            whole.restore(session, path)
        except (tf.errors.NotFoundError, tf.errors.InvalidArgumentError) as error:
            found["whole"] = type(error).__name__
        for key, saver in savers.items():
            try:
                saver.restore(session, path)
            except tf.errors.NotFoundError:
                found["missing"].append(key)
            except tf.errors.InvalidArgumentError:
                found["raises"].append(key)
            else:
                if any(list(session.run(v).shape) != v.shape.as_list() for v in groups[key]):
                    found["silent"].append(key)
    found["unread"] = [key for key, _ in tf.train.list_variables(path) if key not in groups]
    return {kind: sorted(keys) if isinstance(keys, list) else keys for kind, keys in found.items()}
