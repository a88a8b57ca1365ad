"""What an error means, in plain words; TensorFlow's own messages, word for word."""

from __future__ import annotations

import pytest

from scopewatch.model.explanations import explain_failure


@pytest.mark.parametrize(
    ("message", "word"),
    [
        (
            "Variable wn/v already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in "
            'VarScope? Originally defined at:\n\n  File "model.py", line 3, in <module>\n',
            "AUTO_REUSE",
        ),
        (
            "Variable wn/v does not exist, or was not created with tf.get_variable(). "
            "Did you mean to set reuse=tf.AUTO_REUSE in VarScope?",
            "Create it first",
        ),
        ("Trying to share variable wn/v, but specified shape (4, 3) and found shape (5, 3).", "another shape"),
        (
            "Trying to share variable wn/v, but specified dtype float64 and found dtype float32_ref.",
            "another shape or dtype",
        ),
        (
            "Initializer for variable v/ is from inside a control-flow construct, such as a loop or conditional. When "
            "creating a variable inside a loop or conditional, use a lambda as the initializer.",
            "lambda",
        ),
        (
            "The initializer passed is not valid. It should be a callable with no arguments and the shape should not be"
            " provided or an instance of `tf.keras.initializers.*' and `shape` should be fully defined.",
            "shape",
        ),
        ("Attempting to use uninitialized value wn/v\n\t [[{{node wn/v/read}}]]", "initializer"),
        ("module 'tensorflow' has no attribute 'placeholder'", "tensorflow.compat.v1"),
        ("`tf.layers.dense` is not available with Keras 3.", "tf-keras"),
    ],
)
def test_messages_of_tensorflow(message, word):
    assert word in explain_failure("ValueError", message)


def test_names_with_newlines_and_parentheses():
    assert "AUTO_REUSE" in explain_failure("ValueError", "Variable a b(c) already exists, disallowed.")


@pytest.mark.parametrize(
    ("kind", "word"), [("SystemExit", "sys.exit"), ("KeyboardInterrupt", "interrupted"), ("KeyError", "itself")]
)
def test_what_is_not_of_tensorflow(kind, word):
    assert word in explain_failure(kind, "x")
