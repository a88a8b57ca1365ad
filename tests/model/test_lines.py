"""What each line did: counts on the line itself and on those that called it, and the gradient's way."""

from __future__ import annotations

from scopewatch.model.lines import build_lines
from tests.support.logs import LogBuilder, dense_builder, graph, receipt


def own(b, line, file="model.py"):
    return build_lines(b.log()).own[(file, line)]


def below(b, line, file="model.py"):
    return build_lines(b.log()).below[(file, line)]


def test_requests_count_on_the_line_that_asked_and_below_each_line_on_the_way():
    b = LogBuilder(graph("v = VariableV2"))
    for line in (60, 61):
        b.request("v", "created" if line == 60 else "reused", f"main.py:{line} > nn.py:113 dense > nn.py:20 get")
    b.request("v", "refused", "main.py:60 > nn.py:20 get", error="no")
    assert own(b, 20, "nn.py").outcomes == {"created": 1, "reused": 1, "refused": 1}
    assert below(b, 113, "nn.py").outcomes == {"created": 1, "reused": 1}
    assert below(b, 60, "main.py").outcomes == {"created": 1, "refused": 1}
    assert ("main.py", 60) not in build_lines(b.log()).own


def test_a_line_that_is_on_the_way_twice_counts_once():
    b = LogBuilder(graph("v = VariableV2"))
    b.request("v", where="m.py:5 f > m.py:5 f > m.py:5 f > m.py:6 f")
    assert below(b, 5, "m.py").outcomes == {"created": 1}


def test_scopes_of_libraries_and_slots_do_not_count():
    b = LogBuilder(graph("v = VariableV2"))
    b.enter("a", 3)
    b.enter("a", 3)
    b.enter("lib", 3, by_library=True)
    b.enter("slot", 3, for_slots=True)
    assert own(b, 3).scopes == 2


def test_direct_variables_count_as_created():
    b = LogBuilder(graph("v = VariableV2"))
    b.direct("v", 8)
    assert own(b, 8).outcomes == {"created": 1}


def test_ops_count_on_the_line_that_built_them_in_functions_too():
    b = LogBuilder(graph("a = Const\nb = Neg(a)\ndef f(x) -> y\n  y = Neg(x)"))
    b.built("main.py:9 > nn.py:4 f", "a", "b")
    b.built("main.py:9 > nn.py:5 f", "y", function="f")
    assert (own(b, 4, "nn.py").ops, own(b, 5, "nn.py").ops, below(b, 9, "main.py").ops) == (2, 1, 3)


def test_the_line_at_which_the_program_failed():
    b = LogBuilder(graph("a = Const"))
    b.fail("ValueError", "no", "main.py:3 > nn.py:7 f")
    assert own(b, 7, "nn.py").failed
    assert ("main.py", 3) not in build_lines(b.log()).own


FLOW = """
    v     = VariableV2[2]
    read  = Identity(v)
    shape = Shape(read) -> int32
    size  = Cast(shape)
    stop  = StopGradient(read)
    exp   = Exp(stop)
    mul   = Mul(read, size)
    add   = AddV2(mul, exp)
    const = Const
    more  = Neg(const)
    loss  = AddV2(add, more)
    aside = Square(read)
"""


def flows():
    b = LogBuilder(graph(FLOW))
    for line, op in enumerate(("v", "read", "shape", "size", "stop", "exp", "mul", "add", "const", "more", "loss"), 1):
        b.built(line, op)
    b.built(12, "aside")
    b.built("model.py:20 > model.py:30 f", "aside")
    b.gradient("loss:0", receipt("v:0", is_variable=True))
    b.passed("v", "read", "mul", "add", "loss", "more")
    return b


def test_gradient_passes_where_it_was_seen_to_pass_between_a_variable_and_the_loss():
    found = {line: marks.flows for (_, line), marks in build_lines(flows().log()).own.items()}
    assert found == {
        1: "yes",
        2: "yes",
        3: None,  # Only the shape goes on from here.
        4: None,
        5: "no",
        6: "no",
        7: "yes",
        8: "yes",
        9: None,  # Computed from no variable: there is nothing that a gradient could be for.
        10: None,
        11: "yes",
        30: None,
    }


def test_one_op_with_a_gradient_is_enough_for_a_line():
    b = flows()
    b.built(5, "mul")
    assert own(b, 5).flows == "yes"


def test_where_passing_was_not_observed_it_is_unknown():
    b = LogBuilder(graph(FLOW))
    b.built(2, "read")
    b.built(12, "aside")
    b.gradient("loss:0", receipt("v:0", is_variable=True))
    assert own(b, 2).flows == "unknown"
    assert own(b, 12).flows is None


def test_without_a_loss_there_is_nothing_to_say():
    b = LogBuilder(graph(FLOW))
    b.built(2, "read")
    assert own(b, 2).flows is None
    assert build_lines(b.log()).loss is None


def test_a_gradient_of_nothing_but_zeros_is_no_yes():
    b = flows()
    b.bind("m", "mul:0", where=7)
    b.bind("a", "add:0", where=8)
    b.bind("a2", "loss:0", where=8)
    b.extra["gradients"] = []
    b.gradient(
        "loss:0",
        receipt("v:0", is_variable=True),
        receipt("mul:0", "zero"),
        receipt("add:0", "zero"),
        receipt("loss:0"),
    )
    b.passed("v", "read", "mul", "add", "loss")
    assert (own(b, 7).flows, own(b, 8).flows) == ("zero", "yes")


def test_gradient_through_a_called_function():
    b = LogBuilder(
        graph(
            """
            v    = VariableV2[2]
            read = Identity(v)
            k    = Const
            call = PartitionedCall(read, k) {"f": {"function": "f"}}
            loss = Neg(call)
            def f(x, k) -> z
              y = Square(x)
              n = Neg(k)
              z = AddV2(y, n)
            """
        )
    )
    b.built(4, "call")
    for line, op in ((10, "y"), (11, "n"), (12, "z")):
        b.built(line, op, function="f")
    b.gradient("loss:0", receipt("v:0", is_variable=True))
    b.passed("v", "read", "call", "loss")
    b.passed("y", "n", function="f")
    found = {line: marks.flows for (_, line), marks in build_lines(b.log()).own.items()}
    assert found == {4: "yes", 10: "yes", 11: None, 12: "no"}


def test_gradient_through_a_loop_and_the_branch_of_a_condition():
    b = LogBuilder(
        graph(
            """
            v    = VariableV2[2]
            k    = Const
            loop = While(k, v) -> 2*float32 {"body": {"function": "body"}, "cond": {"function": "go"}}
            if   = If(loop:1, k) -> float32 {"then_branch": {"function": "yes"}, "else_branch": {"function": "no"}}
            loss = AddV2(loop:1, if)
            def go(n, x) -> n
            def body(n, x) -> n, y
              y = Square(x)
            def yes(a) -> b
              b = Neg(a)
            def no(a) -> c
              c = Exp(a)
            """
        )
    )
    b.built(3, "loop")
    b.built(4, "if")
    b.built(10, "y", function="body")
    b.built(12, "b", function="yes")
    b.gradient("loss:0", receipt("v:0", is_variable=True))
    b.passed("v", "loop", "loss")
    b.passed("y", function="body")
    found = {line: marks.flows for (_, line), marks in build_lines(b.log()).own.items()}
    # Which branch is taken depends on v, what the branch computes does not.
    assert found == {3: "yes", 4: None, 10: "yes", 12: None}


def test_what_differentiation_adds_to_a_function_is_not_on_the_way_to_the_loss():
    b = LogBuilder(
        graph(
            """
            v    = VariableV2[2]
            call = PartitionedCall(v) {"f": {"function": "f"}}
            loss = Neg(call)
            def f(x) -> y, kept
              y    = Square(x)
              kept = OptionalFromValue(x)
            """
        )
    )
    b.differentiate("loss:0", {"v:0": None}, where=9)
    b.built(5, "y", function="f")
    b.built(9, "kept", function="f")
    b.gradient("loss:0", receipt("v:0", is_variable=True))
    b.passed("y", function="f")
    assert (own(b, 5).flows, own(b, 9).flows) == ("yes", None)


def test_the_dense_layer_counts_what_its_builder_says():
    b = dense_builder()
    lines = build_lines(b.log())
    assert {line: dict(m.outcomes) for (_, line), m in lines.own.items() if m.outcomes} == {
        21: {"created": 1},
        22: {"created": 1},
        23: {"created": 1},
    }
    assert lines.below[("model.py", 40)].outcomes == {"created": 3}
