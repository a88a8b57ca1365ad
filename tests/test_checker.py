"""The checker by itself, on graphs of a few lines: certificates written by hand, true ones and lies.

The expected facts stand here as the definition of value-preserving gives them; nothing is taken from
the prover. Mutation testing of the checker is done by hand with these tests and those of
`test_prover_and_checker_agree.py`, none of which needs TensorFlow:

    cosmic-ray init checker.toml checker.sqlite && cosmic-ray exec checker.toml checker.sqlite

with `module-path = "scopewatch/proof/checker.py"` and `test-command = "python -m pytest -o addopts= -x
tests/test_checker.py tests/test_prover_and_checker_agree.py"`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from scopewatch.model.claims import (
    MEASURED_STEPS,
    NEVER_A_VARIABLE,
    STATEMENTS,
    STRUCTURAL_STEPS,
    Certificate,
    Claim,
    Judgement,
    ProofStep,
    fingerprint,
)
from scopewatch.proof.checker import check
from tests.support.logs import graph

V = "v = VariableV2[5,3]\n"
ALONE = "nothing in the graph calls the function {}"


@dataclass(frozen=True)
class Fact:
    """What is true of one tensor."""

    tensor: str
    op_type: str
    variables: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()
    writers: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    graph: str = "g0"


def certificate_of(facts, graphs, measured=(None, None)):
    """The certificate that says these facts, and nothing else."""
    is_one = any(f.variables for f in facts)
    is_open = any(f.open for f in facts)
    holds = False if is_one else None if is_open else True
    is_op = any(f.op_type in ("VariableV2", "VarHandleOp", "TemporaryVariable") for f in facts)
    used = dict.fromkeys(f.graph for f in facts)
    own = sorted({name for f in facts for name in f.variables})
    said = {
        "no_variable_op": (
            None if any(f.op_type == "unknown" for f in facts) else not is_op,
            tuple((f.tensor, f.op_type) for f in facts),
        ),
        "no_variable_behind": (holds, tuple((f.tensor, f.variables, f.open) for f in facts)),
        "no_known_variable": (holds, tuple((g, tuple(sorted(v.name for v in graphs[g].variables))) for g in used)),
        "not_created": (holds, tuple((name, True) for name in own)),
        "not_assigned": (
            True if is_one and not any(f.writers for f in facts) else holds,
            tuple((f.tensor, f.writers) for f in facts),
        ),
        "function_of": (holds, tuple((f.tensor, f.depends) for f in facts)),
        **{step: (holds, ()) for step, holds in zip(MEASURED_STEPS, measured, strict=True)},
    }
    return Certificate(
        Claim(NEVER_A_VARIABLE, "w", tuple(f.graph for f in facts), tuple(f.tensor for f in facts)),
        tuple(fingerprint(graphs[g]) for g in used),
        tuple(ProofStep(step, STATEMENTS[step], holds, "", facts) for step, (holds, facts) in said.items()),
    )


def judge(some, *facts, measured=(None, None)):
    graphs = {g.id: g for g in ([some] if not isinstance(some, (list, tuple)) else some)}
    return check(certificate_of(facts, graphs, measured), graphs)


def true_of(some, *facts):
    """The checker comes to these facts, and to no others: each is compared."""
    is_one, is_open = any(f.variables for f in facts), any(f.open for f in facts)
    verdict = "refuted" if is_one else "unknown" if is_open else "proved"
    assert judge(some, *facts) == Judgement(verdict, True, ())


def w(op_type, variables="", depends="", writers="", tensor="w:0", unknown=()):
    """The facts about `w`, its names in one string each."""
    return Fact(
        tensor, op_type, tuple(variables.split()), tuple(depends.split()), tuple(writers.split()), tuple(unknown)
    )


# ------------------------------------------------------------------ one op between variable and tensor


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("w = VariableV2", w("VariableV2", "w", "w")),
        ("w = VarHandleOp", w("VarHandleOp", "w", "w")),
        ("w = TemporaryVariable", w("TemporaryVariable", "w", "w")),
        ("w = Const", w("Const")),
        ("w = Neg(v)", w("Neg", "", "v")),
        ("a = VariableV2\nw = Mul(v, a)", w("Mul", "", "a v")),
        ("w = Identity(v)", w("Identity", "v", "v")),
        ("a = Identity(v)\nb = StopGradient(a)\nw = CheckNumerics(b)", w("CheckNumerics", "v", "v")),
        ("a = Neg(v)\nb = StopGradient(a)\nw = CheckNumerics(b)", w("CheckNumerics", "", "v")),
        ("a = VariableV2\nw = Print(v, a)", w("Print", "v", "v")),
        ("a = VariableV2\nw = Print(a, v)", w("Print", "a", "a")),
        ("w = Shape(v)", w("Shape")),
        ("s = Shape(v)\nw = Fill(s)", w("Fill")),
        ("c = Const\nw = ZerosLike(c)", w("ZerosLike")),
    ],
)
def test_one_op_after_another(text, fact):
    true_of(graph(text if text.startswith("w = V") or "T" in text[:5] else V + text), fact)


SWITCH = "p = VariableV2\na = VariableV2\nn = Neg(a)\ngo = {}(p)\nw = {}({}, go) -> 2*float32"


@pytest.mark.parametrize("kind", ["Switch", "RefSwitch", "_SwitchN"])
@pytest.mark.parametrize("output", [0, 1])
def test_a_switch_hands_on_its_first_input(kind, output):
    """Around a loop the question is part of the value, how often it was asked. On a branch it is not."""
    true_of(graph(SWITCH.format("Less", kind, "a")), w(kind, "a", "a", tensor=f"w:{output}"))
    true_of(graph(SWITCH.format("Less", kind, "n")), w(kind, "", "a", tensor=f"w:{output}"))
    true_of(graph(SWITCH.format("LoopCond", kind, "a")), w(kind, "a", "a p", tensor=f"w:{output}"))
    true_of(graph(SWITCH.format("LoopCond", kind, "n")), w(kind, "", "a p", tensor=f"w:{output}"))


COND = """
    p      = VariableV2
    a      = VariableV2
    b      = VariableV2
    less   = Less(p)
    pivots = Switch(less, less) -> 2*bool
    no     = Identity(pivots:0)
    yes    = Identity(pivots:1)
    a_in   = Switch(a, less) -> 2*float32
    b_in   = Switch(b, less) -> 2*float32
    c_no   = Const {"pivot": 5}
    c_yes  = Const {"pivot": 4}
    far    = Neg(c_no)
    n      = Neg(a_in:0)
"""


@pytest.mark.parametrize(
    ("inputs", "variables", "depends"),
    [
        ("a_in:0, b_in:1", "a b", "a b p"),
        ("n, b_in:1", "b", "a b p"),
        ("c_no, c_yes", "", "p"),
        ("far, c_yes", "", "p"),
        ("far, b_in:1", "b", "b p"),
    ],
)
@pytest.mark.parametrize("kind", ["Merge", "RefMerge"])
def test_what_a_cond_of_plain_ops_gives_depends_on_the_question(kind, inputs, variables, depends):
    text = COND + f"w = {kind}({inputs}) -> float32, int32\nx = Neg(w)\ny = Neg(n)"
    true_of(graph(text), w(kind, variables, depends))
    true_of(graph(text), w(kind, "", depends, tensor="w:1"))
    true_of(graph(text), w("Neg", "", depends, tensor="x:0"))
    true_of(graph(text), w("Neg", "", "a", tensor="y:0"))
    true_of(graph(text), w("Const", tensor="c_no:0"))


def test_the_question_of_a_cond_around_a_cond_is_found_behind_it():
    """The first input of the outer merge comes from the inner cond: its switch is passed over."""
    text = (
        COND
        + """
        q     = VariableV2
        asked = Greater(q)
        q_in  = Switch(asked, less) -> 2*bool
        inner = Switch(a_in:0, q_in:0) -> 2*float32
        left  = Neg(inner:0)
        mid   = Merge(left, inner:1) -> float32, int32
        again = Switch(mid, q_in:0) -> 2*float32
        two   = Merge(again:0, again:1) -> float32, int32
        w     = Merge(two, c_yes) -> float32, int32
    """
    )
    true_of(graph(text), w("Merge", "a", "a p q"))
    true_of(graph(text), w("Merge", "a", "a q", tensor="mid:0"))
    apart = text.replace("Switch(asked, less)", "Switch(asked, asked)")
    true_of(graph(apart), w("Merge", "a", "a q", tensor="two:0"))
    true_of(graph(apart), w("Merge", "a", "a p q"))


def test_the_question_of_a_cond_around_a_loop_is_found_behind_it():
    text = (
        COND
        + """
        u     = VariableV2
        enter = Enter(c_no)
        merge = Merge(enter, next) -> float32, int32
        again = Greater(u)
        go    = LoopCond(again)
        sw    = Switch(merge, go) -> 2*float32
        next  = NextIteration(sw:1)
        exit  = Exit(sw:0)
        w     = Merge(exit, c_yes) -> float32, int32
    """
    )
    true_of(graph(text), w("Merge", "", "p u"))
    true_of(graph(text), w("Exit", "", "u", tensor="exit:0"))
    true_of(graph(text), w("Merge", "", "u", tensor="merge:0"))
    true_of(graph(text.replace(' {"pivot": 5}', "")), w("Merge", "", "u"))


@pytest.mark.parametrize("kind", ["Merge", "RefMerge"])
def test_a_merge_is_any_of_its_inputs_and_which_one_is_a_number(kind):
    text = f"a = VariableV2\nb = VariableV2\nn = Neg(b)\nw = {kind}(n, a) -> float32, int32"
    true_of(graph(text), w(kind, "a", "a b"))
    true_of(graph(text), w(kind, "", "a b", tensor="w:1"))


def test_a_ref_select_is_any_input_but_the_first_and_depends_on_that_too():
    text = "p = VariableV2\na = VariableV2\nb = VariableV2\nw = RefSelect(p, a, b) -> float32_ref"
    true_of(graph(text), w("RefSelect", "a b", "a b p"))


def test_an_identity_n_hands_each_input_to_its_own_output():
    text = V + "n = Neg(v)\nc = Const\nw = IdentityN(n, v, c) -> 3*float32"
    true_of(graph(text), w("IdentityN", "", "v", tensor="w:0"))
    true_of(graph(text), w("IdentityN", "v", "v", tensor="w:1"))
    true_of(graph(text), w("IdentityN", "", "", tensor="w:2"))


def test_an_output_that_is_a_reference_is_the_first_input():
    text = V + "a = VariableV2\nw = Unheard(v, a) -> float32_ref, float32"
    true_of(graph(text), w("Unheard", "v", "v"))
    true_of(graph(text), w("Unheard", "", "a v", tensor="w:1"))
    true_of(graph("w = Unheard -> float32_ref"), w("Unheard"))


def test_an_op_whose_outputs_are_not_known_computes():
    some = graph(V + "a = Unheard(v) -> int32\nw = Identity(a)\nx = Identity(a:1)")
    signatures = [() if dtypes == ("int32",) else dtypes for dtypes in some.body.signatures]
    bare = replace(some, body=replace(some.body, signatures=signatures))
    true_of(bare, w("Identity", "", "v"))
    true_of(bare, w("Identity", "", "v", tensor="x:0"))


# ------------------------------------------------------------------ what writes the variable

WRITTEN = (
    V
    + """
    a      = VariableV2
    c      = Const
    read   = Identity(v)
    set    = Assign(v, c) -> float32_ref
    add    = AssignAdd(set, a) -> float32_ref
    rows   = ScatterUpdate(read, c, c) -> float32_ref
    train  = ResourceApplyAdam(v)
    other  = Assign(a, v) -> float32_ref
    pure   = ScatterNd(v, c, c)
    empty  = AssignNothing
    w      = Identity(v)
    x      = Neg(v)
    y      = Identity(a)
    z      = Identity(add)
"""
)


@pytest.mark.parametrize(
    ("tensor", "variables", "writers"),
    [("w", "v", "add rows set train"), ("x", "", ""), ("y", "a", "other"), ("z", "v", "add rows set train")],
)
def test_who_writes_a_variable(tensor, variables, writers):
    op_type = "Neg" if tensor == "x" else "Identity"
    true_of(graph(WRITTEN), w(op_type, variables, variables or "v", writers, tensor=f"{tensor}:0"))


def test_a_variable_that_is_never_written_meets_that_obligation_and_is_refuted():
    some = graph(V + "a = VariableV2\nc = Const\nset = Assign(a, c) -> float32_ref\nw = Identity(v)")
    true_of(some, w("Identity", "v", "v"))
    certificate = certificate_of([w("Identity", "v", "v")], {"g0": some})
    assert certificate.step("not_assigned").holds is True
    lie = certificate_of([w("Identity", "v", "v", "set")], {"g0": some})
    assert not check(lie, {"g0": some}).accepted


# ------------------------------------------------------------------ several tensors, several graphs


def test_one_variable_among_the_tensors_refutes_the_claim():
    some = graph(V + "n = Neg(v)\nc = Const\nset = Assign(v, c) -> float32_ref\nw = Identity(v)")
    true_of(some, w("Neg", "", "v", tensor="n:0"), w("Identity", "v", "v", "set"))
    true_of(some, w("Identity", "v", "v", "set"), w("Neg", "", "v", tensor="n:0"))
    true_of(some, w("Neg", "", "v", tensor="n:0"), w("VariableV2", "v", "v", "set", tensor="v:0"))
    true_of(some, w("Neg", "", "v", tensor="n:0"), w("Const", tensor="c:0"))


def test_tensors_of_two_graphs_are_each_looked_for_in_their_own():
    one, two = graph(V + "w = Neg(v)"), graph("u = VariableV2\nw = Identity(u)", "g1")
    here, there = w("Neg", "", "v"), replace(w("Identity", "u", "u"), graph="g1")
    true_of([one, two], here, there)
    true_of([one, two], there, here)
    true_of([one, two], here)
    true_of([one, two], here, here)
    assert not judge([one, two], replace(here, graph="g1")).accepted


def test_a_tensor_that_the_graph_does_not_hold_is_unknown():
    for tensor in ("w:0", "c:1", "c"):
        gone = w("unknown", unknown=[f"the graph no longer holds {tensor}"], tensor=tensor)
        true_of(graph("c = Const"), gone)
        some = graph(V)
        true_of(some, gone, w("VariableV2", "v", "v", tensor="v:0"))


def test_unknown_of_two_kinds():
    """A lone function and a tensor that is gone: the reasons stand in order, each with its tensor."""
    some = graph("c = Const\ndef f(x) -> y\ny = Identity(x)")
    gone = w("unknown", unknown=["the graph no longer holds z:0"], tensor="z:0")
    true_of(some, w("Identity", unknown=[ALONE.format("f")], tensor="f/y:0"), gone)


# ------------------------------------------------------------------ functions

CALL = """
    v   = VarHandleOp
    c   = Const
    a   = VariableV2
    one = {call}
    two = PartitionedCall(c) {{"f": {{"function": "same"}}}}
    w   = Identity({which})
    def same(x) -> y
    y   = {result}
    def swap(x, z) -> z, x
"""


@pytest.mark.parametrize(
    ("call", "function"),
    [
        ('PartitionedCall(v) {"f": {"function": "same"}}', "same"),
        ('StatefulPartitionedCall(v) {"f": {"function": "same"}}', "same"),
        ('TPUPartitionedCall(v) {"f": {"function": "same"}}', "same"),
        ('RemoteCall(a, v) {"f": {"function": "same"}}', "same"),
        ("same(v)", "same"),
    ],
)
@pytest.mark.parametrize(("result", "is_one"), [("Identity(x)", True), ("Neg(x)", False)])
def test_a_call_hands_on_what_its_function_returns(call, function, result, is_one):
    def some(which):
        return graph(CALL.format(call=call, which=which, result=result))

    op_type = call.partition("(")[0]
    true_of(some("one"), w("Identity", "v" if is_one else "", "v"))
    true_of(some("one"), w(op_type, "v" if is_one else "", "v", tensor="one:0"))
    true_of(some("two"), w("Identity"))
    true_of(some("one"), w("_Arg", "v", "v", tensor="same/x:0"))
    true_of(some("one"), w(result[:-3], "v" if is_one else "", "v", tensor="same/y:0"))


def test_each_result_and_each_argument_has_its_place():
    text = 'v = VarHandleOp\nu = VarHandleOp\ncall = PartitionedCall(v, u) -> 2*float32 {"f": {"function": "swap"}}\n'
    text += "w0 = Identity(call:0)\nw1 = Identity(call:1)\ndef swap(x, z) -> z, x"
    true_of(graph(text), w("Identity", "u", "u", tensor="w0:0"))
    true_of(graph(text), w("Identity", "v", "v", tensor="w1:0"))
    true_of(graph(text), w("_Arg", "v", "v", tensor="swap/x:0"))
    true_of(graph(text), w("_Arg", "u", "u", tensor="swap/z:0"))
    remote = text.replace("PartitionedCall(v, u)", "RemoteCall(u, v, u)")
    true_of(graph(remote), w("_Arg", "v", "v", tensor="swap/x:0"))
    true_of(graph(remote), w("Identity", "v", "v", tensor="w1:0"))


def test_a_function_may_have_any_name():
    """Its calls are ops of that type: not to be taken for one that is unknown, nor for an argument."""
    for name in ("zeta", "_Argument", "aleph"):
        text = V + f"w = {name}(v)\ndef {name}(x) -> y\ny = Neg(x)"
        true_of(graph(text), w(name, "", "v"))


def test_words_as_a_file_gives_them():
    """Op types and names that are equal to those known here, and other objects."""
    some = graph(CAPTURES % 1)
    bodies = [replace(b, types=["".join(list(t)) for t in b.types]) for b in some.functions.values()]
    again = replace(some, functions={b.name: b for b in bodies})
    fact = w("_Arg", "u", "u", tensor="f/y:0")
    true_of(again, fact)
    certificate = certificate_of([fact], {"g0": again})
    said = with_claim(certificate, kind="".join(list(NEVER_A_VARIABLE)))
    assert check(said, {"g0": again}).accepted


def test_how_often_a_loop_in_a_function_in_a_function_runs_is_asked_of_its_own_call():
    text = """
        v    = VariableV2
        u    = VariableV2
        k    = Const
        one  = outer(k, v)
        two  = outer(k, u)
        def outer(k, x) -> r
        r    = PartitionedCall(x) {"f": {"function": "inner"}}
        def inner(y) -> loop
        c    = Const
        loop = While(c, y) -> 2*float32 {"body": {"function": "body"}, "cond": {"function": "cond"}}
        def cond(n, z) -> go
        go   = Less(z)
        def body(n, z) -> n2, z
        n2   = Add(n)
    """
    true_of(graph(text), w("outer", "", "v", tensor="one:0"))
    true_of(graph(text), w("outer", "", "u", tensor="two:0"))
    true_of(graph(text), w("Add", "", "u v", tensor="body/n2:0"))
    true_of(graph(text.replace("two  = outer(k, u)", "")), w("Add", "", "v", tensor="body/n2:0"))


def test_an_output_that_the_function_does_not_return_is_nothing():
    text = 'v = VarHandleOp\nw = PartitionedCall(v) -> 3*float32 {"f": {"function": "f"}}\ndef f(x) -> x'
    true_of(graph(text), w("PartitionedCall", "", "", tensor="w:1"))
    true_of(graph(text), w("PartitionedCall", "", "", tensor="w:2"))
    true_of(graph(text), w("PartitionedCall", "v", "v"))


def test_a_function_in_a_function():
    text = """
        v   = VarHandleOp
        c   = Const
        out = outer(v, c) -> 2*float32
        w   = Identity(out:{})
        def outer(a, b) -> r, s
        r   = StatefulPartitionedCall(a) {{"f": {{"function": "inner"}}}}
        s   = StatefulPartitionedCall(b) {{"f": {{"function": "inner"}}}}
        def inner(x) -> x
    """
    true_of(graph(text.format(0)), w("Identity", "v", "v"))
    true_of(graph(text.format(1)), w("Identity"))
    true_of(graph(text.format(0)), w("_Arg", "v", "v", tensor="inner/x:0"))


def test_a_variable_made_in_a_function_is_known_by_its_record():
    text = (
        'w = PartitionedCall {"f": {"function": "f"}}\ndef f() -> r\ninside = VarHandleOp\nr = ReadVariableOp(inside)'
    )
    true_of(graph(text), w("PartitionedCall", "inside", "inside"))


def test_what_writes_in_the_graph_counts_for_a_variable_of_the_graph_alone():
    """Two variable ops of one number, one in the graph, one in a function: the graph's writer writes the first."""
    text = """
        v   = VariableV2
        c   = Const
        set = Assign(v, c) -> float32_ref
        w   = PartitionedCall {"f": {"function": "f"}}
        def f() -> r
        inside = VariableV2
        r   = Identity(inside)
    """
    true_of(graph(text), w("PartitionedCall", "inside", "inside"))
    true_of(graph(text), w("VariableV2", "v", "v", "set", tensor="v:0"))
    same_name = graph(text.replace("inside", "v"), variables=None)
    inner = replace(same_name.variables[1], name="f/v")
    two = replace(same_name, variables=(same_name.variables[0], inner))
    true_of(two, w("PartitionedCall", "f/v", "f/v"))


@pytest.mark.parametrize("attr", ["PartitionedCall", "StatefulPartitionedCall"])
def test_a_call_of_a_function_that_is_not_here_may_compute_anything(attr):
    text = V + f'w = {attr}(v) {{"f": {{"function": "elsewhere"}}}}'
    true_of(graph(text), w(attr, "", "v"))
    true_of(graph(text + "\ndef here(x) -> x"), w(attr, "", "v"))


def test_a_symbolic_gradient_computes():
    text = V + 'w = SymbolicGradient(v) {"f": {"function": "f"}}\ndef f(x) -> x'
    true_of(graph(text), w("SymbolicGradient", "", "v"))


def test_an_op_that_is_given_a_function_and_does_not_call_it_computes():
    text = V + 'w = Unheard(v) {"f": {"function": "f"}}\ndef f(x) -> x'
    true_of(graph(text), w("Unheard", "", "v"))
    how = "how Unheard passes arguments to f is not known here"
    true_of(graph(text), w("_Arg", "", "v", unknown=[how], tensor="f/x:0"))


CAPTURES = """
    v   = VarHandleOp
    u   = VarHandleOp
    c   = Const
    map = MapDataset(c, v, u) {"f": {"function": "f"}, "Targuments": %d}
    def f(element, x, y) -> x
    negative = Neg(x)
    call = g(element)
    def g(a) -> a
"""


def test_what_a_dataset_captures_are_the_last_arguments_of_its_function():
    true_of(graph(CAPTURES % 2), w("_Arg", tensor="f/element:0"))
    true_of(graph(CAPTURES % 2), w("_Arg", "v", "v", tensor="f/x:0"))
    true_of(graph(CAPTURES % 2), w("_Arg", "u", "u", tensor="f/y:0"))
    true_of(graph(CAPTURES % 1), w("_Arg", tensor="f/x:0"))
    true_of(graph(CAPTURES % 1), w("_Arg", "u", "u", tensor="f/y:0"))
    true_of(graph(CAPTURES % 0), w("_Arg", tensor="f/y:0"))


def test_a_function_that_nothing_calls_is_unknown():
    some = graph("c = Const\ndef f(x) -> y\ny = Identity(x)\nz = Neg(x)\nk = Const")
    for tensor, op_type in (("y", "Identity"), ("z", "Neg"), ("x", "_Arg"), ("k", "Const")):
        true_of(some, w(op_type, unknown=[ALONE.format("f")], tensor=f"f/{tensor}:0"))


def test_a_variable_in_a_function_that_nothing_calls_is_one_all_the_same():
    some = graph("c = Const\ndef f() -> y\ny = VariableV2")
    true_of(some, w("VariableV2", "y", "y", unknown=[ALONE.format("f")], tensor="f/y:0"))


NESTED = "c = Const\ndef f(x) -> y\ny = g(x)\ndef g(x) -> y\ny = h(x)\ndef h(x) -> x\n"


def test_of_a_chain_of_calls_that_nothing_begins_the_first_function_is_named():
    for function in "fgh":
        true_of(graph(NESTED), w("_Arg", unknown=[ALONE.format("f")], tensor=f"{function}/x:0"))


def test_of_several_ways_only_those_that_begin_in_the_graph_count():
    some = graph("v = VarHandleOp\nout = h(v)\n" + NESTED)
    true_of(some, w("_Arg", "v", "v", tensor="h/x:0"))
    true_of(graph("out = f(c)\n" + NESTED), w("_Arg", tensor="h/x:0"))


def test_of_several_ways_that_nothing_begins_one_is_named():
    some = graph("c = Const\ndef f(x) -> y\ny = h(x)\ndef g(x) -> y\ny = h(x)\ndef h(x) -> x")
    true_of(some, w("_Arg", unknown=[ALONE.format("f")], tensor="h/x:0"))


def test_a_function_that_calls_itself_is_unknown():
    text = 'v = VarHandleOp\nw = f(v)\ndef f(x) -> y\ny = PartitionedCall(x) {"f": {"function": "f"}}'
    itself = "the function f calls itself"
    true_of(graph(text), w("f", unknown=[itself]))
    true_of(graph(text), w("PartitionedCall", unknown=[itself], tensor="f/y:0"))
    alone = text.replace("w = f(v)", "w = Neg(v)")
    # Of `f` only `f` itself makes use: nothing leads there.
    true_of(graph(alone), w("PartitionedCall", unknown=[ALONE.format("f"), itself], tensor="f/y:0"))


CALLS_ITSELF = """
    v = VarHandleOp
    p = Const
    w = f(v)
    def f(x) -> y
    q = Const
    y = {}
    def less(x) -> z
    z = Less(x)
"""


@pytest.mark.parametrize(
    ("call", "variables", "depends"),
    [
        ('If(q, x) {"then_branch": {"function": "f"}, "else_branch": {"function": "less"}}', "", "v"),
        ('Case(q, x) {"branches": {"functions": ["f", "less"]}}', "", "v"),
        ('While(x) {"body": {"function": "f"}, "cond": {"function": "less"}}', "v", "v"),
        ("f(x)", "", ""),
    ],
)
def test_a_function_that_calls_itself_by_another_op_is_unknown_too(call, variables, depends):
    """What the other branch computes, and what a loop that never runs hands on, is known all the same."""
    itself = ["the function f calls itself"]
    true_of(graph(CALLS_ITSELF.format(call)), w("f", variables, depends, unknown=itself))


def in_ways(count):
    calls = "\n".join(f'c{i} = PartitionedCall(c) {{"f": {{"function": "f"}}}}' for i in range(count))
    return graph(f"c = Const\n{calls}\ndef f(x) -> y\ny = Identity(x)\ndef k(x) -> z\nz = Identity(x)")


def test_a_function_called_in_a_thousand_ways_is_followed_and_in_more_is_not():
    true_of(in_ways(1_000), w("Identity", tensor="f/y:0"))
    too_many = "the function f is called in more than 1,000 ways"
    true_of(in_ways(1_001), w("Identity", unknown=[too_many], tensor="f/y:0"))


def test_of_too_many_ways_the_first_thousand_are_looked_at():
    """A variable that is passed in any of them refutes, whatever the others do."""

    def some(position):
        calls = [f'c{i} = PartitionedCall(c) {{"f": {{"function": "f"}}}}' for i in range(1_200)]
        calls[position] = 'c_ = PartitionedCall(v) {"f": {"function": "f"}}'
        return graph("c = Const\nv = VarHandleOp\n" + "\n".join(calls) + "\ndef f(x) -> y\ny = Identity(x)")

    too_many = "the function f is called in more than 1,000 ways"
    for position, variables in ((0, "v"), (999, "v"), (1_000, ""), (1_001, "")):
        true_of(some(position), w("Identity", variables, variables, unknown=[too_many], tensor="f/y:0"))


def test_ways_multiply_from_function_to_function():
    calls = "\n".join(f"c{i} = outer(c)" for i in range(40))
    inner = "\n".join(f"d{i} = f(x)" for i in range(30))
    some = graph(f"c = Const\n{calls}\ndef outer(x) -> d0\n{inner}\ndef f(x) -> y\ny = Identity(x)")
    too_many = "the function f is called in more than 1,000 ways"
    true_of(some, w("Identity", unknown=[too_many], tensor="f/y:0"))
    true_of(some, w("_Arg", tensor="outer/x:0"))


def test_too_many_ways_to_a_function_further_out_name_that_one():
    calls = "\n".join(f"c{i} = outer(c)" for i in range(1_100))
    some = graph(f"c = Const\n{calls}\ndef outer(x) -> d\nd = f(x)\ndef f(x) -> y\ny = Identity(x)")
    for tensor, op_type in (("outer/x", "_Arg"), ("f/y", "Identity")):
        too_many = f"the function {'outer' if tensor == 'outer/x' else 'f'} is called in more than 1,000 ways"
        true_of(some, w(op_type, unknown=[too_many], tensor=f"{tensor}:0"))


# ------------------------------------------------------------------ branches and loops

BRANCH = """
    p  = VariableV2
    v  = VarHandleOp
    c  = Const
    if = {kind}(p, v, c) -> 2*float32 {{"then_branch": {{"function": "yes"}}, "else_branch": {{"function": "no"}}}}
    w  = Identity(if:{output})
    def yes(a, b) -> r, b
    r  = ReadVariableOp(a)
    def no(a, b) -> b, b
"""


@pytest.mark.parametrize("kind", ["If", "StatelessIf"])
def test_a_branch_is_what_any_of_its_functions_returns_and_depends_on_the_question(kind):
    true_of(graph(BRANCH.format(kind=kind, output=0)), w("Identity", "v", "p v"))
    true_of(graph(BRANCH.format(kind=kind, output=1)), w("Identity", "", "p"))
    some = graph(BRANCH.format(kind=kind, output=0))
    true_of(some, w("_Arg", "v", "v", tensor="yes/a:0"))
    true_of(some, w("_Arg", tensor="yes/b:0"))


@pytest.mark.parametrize("kind", ["Case", "StatelessCase"])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_case_is_any_of_its_branches(kind, swapped):
    text = f"""
        i = VariableV2
        v = VarHandleOp
        c = Const
        w = {kind}(i, v, c) -> float32 {{"branches": {{"functions": ["zero", "one", "two"]}}}}
        def {"zero" if not swapped else "two"}(a, b) -> b
        def one(a, b) -> r
        r = Neg(a)
        def {"two" if not swapped else "zero"}(a, b) -> a
    """
    true_of(graph(text), w(kind, "v", "i v"))
    without = text.replace("-> a", "-> b")
    true_of(graph(without), w(kind, "", "i v"))


LOOP = """
    i    = {i}
    v    = VarHandleOp
    u    = VarHandleOp
    loop = {kind}(i, v, u) -> 3*float32 {{"body": {{"function": "body"}}, "cond": {{"function": "cond"}}}}
    w    = Identity(loop:{output})
    def cond(n, x, y) -> go
    go   = Less(n)
    def body(n, x, y) -> n2, {result}, y
    n2   = Add(n)
    neg  = Neg(x)
"""


@pytest.mark.parametrize("kind", ["While", "StatelessWhile"])
def test_a_loop_is_what_it_began_with_or_what_its_body_returned(kind):
    def some(output, result="x", i="Const"):
        return graph(LOOP.format(kind=kind, output=output, result=result, i=i))

    true_of(some(1), w("Identity", "v", "v"))
    true_of(some(2), w("Identity", "u", "u"))
    true_of(some(0), w("Identity", "", ""))
    true_of(some(1, "y"), w("Identity", "u v", "u v"))
    true_of(some(1, "neg"), w("Identity", "v", "v"))
    true_of(some(1, "n"), w("Identity", "v", "v"))
    true_of(some(1, i="VariableV2"), w("Identity", "v", "i v"))
    true_of(some(1, "n", i="VariableV2"), w("Identity", "i v", "i v"))
    true_of(some(1, "y", i="VariableV2"), w("_Arg", "u v", "i u v", tensor="body/x:0"))
    true_of(some(1, "neg"), w("Neg", "", "v", tensor="body/neg:0"))
    true_of(some(1, "y"), w("_Arg", "u v", "u v", tensor="cond/x:0"))
    true_of(some(1, i="VariableV2"), w("_Arg", "i", "i", tensor="cond/n:0"))
    true_of(some(1, i="VariableV2"), w("Less", "", "i", tensor="cond/go:0"))


def test_how_often_a_loop_ran_is_asked_of_the_first_result_of_its_condition():
    """The loop's second output ends where the question says so: at output 0 of the condition."""
    text = """
        i    = VariableV2
        c    = Const
        loop = While(i, c) -> 2*float32 {"body": {"function": "body"}, "cond": {"function": "cond"}}
        w    = Identity(loop:1)
        def cond(n, x) -> n
        def body(n, x) -> n, x
    """
    true_of(graph(text), w("Identity", "", "i"))
    true_of(graph(text), w("_Arg", "", "i", tensor="body/x:0"))


LOOP_V1 = """
    v     = VariableV2
    u     = VariableV2
    enter = Enter({start})
    merge = Merge(enter, next) -> float32, int32
    less  = Less(u)
    go    = LoopCond(less)
    sw    = Switch(merge, go) -> 2*float32
    neg   = Neg(sw:1)
    same  = Identity(sw:1)
    next  = NextIteration({body})
    w     = Exit(sw:0)
"""


@pytest.mark.parametrize(
    ("start", "body", "variables", "depends"),
    [("v", "same", "v", "u v"), ("v", "neg", "v", "u v"), ("less", "same", "", "u"), ("less", "v", "v", "u v")],
)
def test_a_loop_of_plain_ops(start, body, variables, depends):
    true_of(graph(LOOP_V1.format(start=start, body=body)), w("Exit", variables, depends))


# ------------------------------------------------------------------ parts of one variable

PARTS = """
    p0   = VariableV2[2,3]
    p1   = VariableV2[2,3]
    q0   = VariableV2[2,3]
    lone = VariableV2[2,3]
    axis = Const -> int32
    r0   = Identity(p0)
    neg  = Neg(p1)
    any  = Merge(p0, p1) -> float32, int32
    w    = {kind}({inputs})
"""
OWNERS = {"p0": {"partition_of": "p"}, "p1": {"partition_of": "p"}, "q0": {"partition_of": "q"}}


@pytest.mark.parametrize(
    ("parts", "variables", "depends"),
    [
        ("p0 p1", "p0 p1", "p0 p1"),
        ("r0 p1", "p0 p1", "p0 p1"),
        ("p1 p0", "", "p0 p1"),
        ("p0 p1 p0", "", "p0 p1"),
        ("p0 p0", "", "p0"),
        ("p0 neg", "", "p0 p1"),
        ("any p1", "", "p0 p1"),
        ("p0 any", "", "p0 p1"),
        ("p0 q0", "", "p0 q0"),
        ("p0 p1 q0", "", "p0 p1 q0"),
        ("p0 lone", "", "lone p0"),
        ("lone lone", "", "lone"),
        ("q0 q0", "", "q0"),
        ("p0", "p0", "p0"),
        ("lone", "lone", "lone"),
        ("neg", "", "p1"),
    ],
)
def test_a_concat_of_all_the_parts_is_the_variable(parts, variables, depends):
    inputs = parts.split()
    for kind, given in (("ConcatV2", [*inputs, "axis"]), ("Concat", ["axis", *inputs])):
        some = graph(PARTS.format(kind=kind, inputs=", ".join(given)), variables=OWNERS)
        true_of(some, w(kind, variables, depends))


def test_parts_are_counted_in_the_order_of_their_numbers():
    names = [f"p/part_{number}" for number in (10, 0, 2, 1, 9, 3, 4, 8, 5, 6, 7)]
    text = "axis = Const\n" + "".join(f"{name} = VariableV2\n" for name in names)
    owners = {name: {"partition_of": "p"} for name in names}
    in_order = sorted(names, key=lambda name: int(name[7:]))
    for joined, is_one in ((in_order, True), (names, False), (sorted(names), False)):
        some = graph(text + f"w = ConcatV2({', '.join(joined)}, axis)", variables=owners)
        every = " ".join(sorted(names))
        true_of(some, w("ConcatV2", every if is_one else "", every))


def test_the_axis_of_a_concat_is_no_part():
    for kind, inputs in (("ConcatV2", "p0, p1, lone"), ("Concat", "lone, p0, p1")):
        some = graph(PARTS.format(kind=kind, inputs=inputs), variables=OWNERS)
        true_of(some, w(kind, "p0 p1", "p0 p1"))


@pytest.mark.parametrize(
    ("cut", "shape", "axis", "is_one"),
    [
        (0, (2, 2), 0.0, True),
        (0, (2, 2), 1.0, False),
        (0, (2, 2), -2.0, True),
        (0, (2, 2), -1.0, False),
        (1, (2, 2), -1.0, True),
        (1, (2, 2), 0.0, False),
        (None, (2, 2), 1.0, True),
        (0, None, 1.0, True),
        (0, (2, 2), None, True),
        (0, (2, 2), [1.0], True),
    ],
)
def test_a_concat_along_another_axis_is_a_new_tensor(cut, shape, axis, is_one):
    """Where an axis is not known, it is taken for the one along which the variable was cut."""
    owners = {n: {"partition_of": "p", "partition_axis": cut, "shape": shape} for n in ("p0", "p1")}
    for kind, inputs in (("ConcatV2", "p0, p1, axis"), ("Concat", "axis, p0, p1")):
        some = graph(PARTS.format(kind=kind, inputs=inputs), variables=owners)
        if axis is not None:
            some.body.attrs[some.body.index["axis"]] = {"value": axis}
        true_of(some, w(kind, "p0 p1" if is_one else "", "p0 p1"))


def test_a_concat_of_nothing_in_a_damaged_log_is_a_new_tensor():
    for kind in ("ConcatV2", "Concat"):
        some = graph(PARTS.format(kind=kind, inputs=""), variables=OWNERS)
        true_of(some, w(kind, "", ""))


def test_without_a_partitioned_variable_a_concat_is_a_new_tensor():
    some = graph(PARTS.format(kind="ConcatV2", inputs="p0, p1, axis"))
    true_of(some, w("ConcatV2", "", "p0 p1"))


def test_a_concat_that_joins_itself_around_a_loop_is_no_variable():
    text = """
        p0    = VariableV2
        p1    = VariableV2
        axis  = Const
        enter = Enter(p0)
        merge = Merge(enter, next) -> float32, int32
        w     = ConcatV2(merge, p1, axis)
        next  = NextIteration(w)
        two   = ConcatV2(p0, p1, axis)
    """
    some = graph(text, variables={n: {"partition_of": "p"} for n in ("p0", "p1")})
    true_of(some, w("ConcatV2", "p0 p1", "p0 p1"))
    true_of(some, w("ConcatV2", "p0 p1", "p0 p1", tensor="two:0"))


# ------------------------------------------------------------------ lies, and what is said of them

SOME = V + "c = Const\nset = Assign(v, c) -> float32_ref\nr = Identity(v)\nw = Neg(r)\nu = VariableV2"
TRUE = w("Neg", "", "v")
REFUTED = w("Identity", "v", "v", "set", tensor="r:0")


def objections(certificate, *graphs, measured=None):
    judgement = check(certificate, {g.id: g for g in graphs or [graph(SOME)]}, measured)
    assert judgement.accepted is not bool(judgement.objections)
    return judgement.objections


def honest(fact=TRUE):
    return certificate_of([fact], {"g0": graph(SOME)})


def with_step(certificate, step_id, **changes):
    steps = tuple(replace(s, **changes) if s.id == step_id else s for s in certificate.steps)
    return replace(certificate, steps=steps)


def with_claim(certificate, **changes):
    return replace(certificate, claim=replace(certificate.claim, **changes))


@pytest.mark.parametrize("step_id", STRUCTURAL_STEPS)
@pytest.mark.parametrize(("said", "words"), [(False, "it fails"), (None, "it is open")])
def test_a_step_that_is_said_not_to_hold(step_id, said, words):
    expected = f"{step_id}: the certificate says {words}, the graph says it holds"
    assert objections(with_step(honest(), step_id, holds=said)) == (expected,)


@pytest.mark.parametrize("step_id", [s for s in STRUCTURAL_STEPS if s != "no_variable_op"])
def test_a_step_that_is_said_to_hold(step_id):
    expected = f"{step_id}: the certificate says it holds, the graph says it fails"
    assert objections(with_step(honest(REFUTED), step_id, holds=True)) == (expected,)
    lone = graph("c = Const\ndef f(x) -> y\ny = Identity(x)")
    certificate = certificate_of([w("Identity", unknown=[ALONE.format("f")], tensor="f/y:0")], {"g0": lone})
    expected = f"{step_id}: the certificate says it holds, the graph says it is open"
    assert objections(with_step(certificate, step_id, holds=True), lone) == (expected,)


@pytest.mark.parametrize("step_id", [s for s in STRUCTURAL_STEPS if s != "not_created"])
@pytest.mark.parametrize("facts", [(), (("w:0", "Neg", ()),), (("w:0", ("v", "u")),)])
def test_other_facts(step_id, facts):
    assert objections(with_step(honest(), step_id, facts=facts)) == (
        f"{step_id}: the certificate's facts are not those of the graph",
    )


def test_one_is_not_true():
    """A fact of another type is another fact, though Python calls the two equal."""
    for fact, said in ((REFUTED, 1), (REFUTED, "yes")):
        assert objections(with_step(honest(fact), "not_created", facts=(("v", said),)))


@pytest.mark.parametrize(
    "facts",
    [
        ("v",),
        ("vT",),
        (("v",),),
        (("v", True, True),),
        (("v", 1),),
        (("v", None),),
        ((7, True),),
        (["v", True],),
        (("v", True), "v"),
        (("v", True), 7),
        (None,),
    ],
)
def test_creations_that_are_no_list_of_variables(facts):
    assert objections(with_step(honest(REFUTED), "not_created", facts=facts)) == (
        "not_created: the facts are no list of variables",
    )


@pytest.mark.parametrize(
    ("fact", "facts"),
    [
        (REFUTED, ()),
        (REFUTED, (("v", False),)),
        (REFUTED, (("u", True),)),
        (REFUTED, (("u", True), ("v", True))),
        (REFUTED, (("nowhere", True), ("v", True))),
        (TRUE, (("v", True),)),
        (TRUE, (("nowhere", True),)),
    ],
)
def test_creations_of_other_variables_than_the_tensor_is(fact, facts):
    assert objections(with_step(honest(fact), "not_created", facts=facts)) == (
        "not_created: the certificate does not name the variables that the tensor is",
    )


@pytest.mark.parametrize(
    ("fact", "facts"),
    [
        (REFUTED, (("u", False), ("v", True))),
        (REFUTED, (("not in the graph any more", False), ("v", True))),
        (TRUE, (("u", False), ("v", False))),
    ],
)
def test_which_other_variables_were_created_is_for_the_log_to_say(fact, facts):
    assert objections(with_step(honest(fact), "not_created", facts=facts)) == ()
    expected = {"not_created": (fact is not REFUTED, ())}
    assert objections(with_step(honest(fact), "not_created", facts=facts), measured=expected) == (
        "not_created: what the certificate says is not what the log says",
    )


def test_measured_steps_are_compared_with_what_was_measured():
    certificate = certificate_of([TRUE], {"g0": graph(SOME)}, measured=(True, None))
    said = "{}: what the certificate says is not what the log says"
    assert objections(certificate) == ()
    agrees = {"not_in_checkpoint": (True, ()), "computed_again": (None, ())}
    assert objections(certificate, measured=agrees) == ()
    for other in ((False, ()), (None, ()), (True, ("v",)), (1, ())):
        wrong = {**agrees, "not_in_checkpoint": other}
        assert objections(certificate, measured=wrong) == (said.format("not_in_checkpoint"),)
    both = {"not_in_checkpoint": (False, ()), "computed_again": (True, ())}
    assert objections(certificate, measured=both) == (said.format("not_in_checkpoint"), said.format("computed_again"))
    assert objections(certificate, measured={**agrees, "no_such_step": (True, ())}) == ()


@pytest.mark.parametrize(
    ("fact", "measured", "verdict"),
    [
        (TRUE, (True, True), "proved"),
        (TRUE, (None, None), "proved"),
        (TRUE, (False, None), "refuted"),
        (TRUE, (True, False), "refuted"),
        (REFUTED, (True, True), "refuted"),
        (REFUTED, (False, True), "refuted"),
    ],
)
def test_a_measured_step_can_refute_and_cannot_prove(fact, measured, verdict):
    assert judge(graph(SOME), fact, measured=measured) == Judgement(verdict, True, ())


def test_the_verdict_is_the_graphs_word_even_where_the_certificate_is_refused():
    lie = with_step(honest(REFUTED), "no_variable_behind", holds=True, facts=())
    judgement = check(lie, {"g0": graph(SOME)})
    assert (judgement.verdict, judgement.accepted, len(judgement.objections)) == ("refuted", False, 1)


# ------------------------------------------------------------------ certificates about something else

ORDER = ", ".join((*STRUCTURAL_STEPS, *MEASURED_STEPS))


def judged_unknown(certificate, *graphs):
    judgement = check(certificate, {g.id: g for g in graphs or [graph(SOME)]})
    assert (judgement.verdict, judgement.accepted) == ("unknown", False)
    return judgement.objections


def test_a_claim_of_another_kind():
    for kind in ("always_a_variable", "weight_normalised", "a", "z", ""):
        assert judged_unknown(with_claim(honest(), kind=kind)) == (f"the claim is of an unknown kind: {kind}",)


NO_TENSORS = "the claim names no tensors, or not their graphs"


def test_a_claim_about_nothing():
    assert judged_unknown(with_claim(replace(honest(), graphs=()), tensors=(), graphs=())) == (NO_TENSORS,)
    for tensors, graphs in ((("w:0", "r:0"), ("g0",)), (("w:0",), ("g0", "g0"))):
        assert judged_unknown(with_claim(honest(), tensors=tensors, graphs=graphs)) == (NO_TENSORS,)


@pytest.mark.parametrize("change", [{"tensors": (7,)}, {"tensors": (None,)}, {"graphs": (["g0"],)}])
def test_a_claim_about_what_is_no_tensor(change):
    assert judged_unknown(with_claim(honest(), **change)) == ("the claim names something that is no tensor",)


def test_a_claim_about_a_graph_that_is_not_here():
    not_here = "the claim is about a graph that is not here"
    assert judged_unknown(with_claim(honest(), graphs=("g1",))) == (not_here,)
    two = with_claim(honest(), graphs=("g0", "g1"), tensors=("w:0", "w:0"))
    assert judged_unknown(two) == (not_here,)


def test_a_certificate_of_another_graph():
    another = "the certificate was made for another graph"
    assert judged_unknown(honest(), graph(SOME + "\nx = Const")) == (another,)
    for prints in ((), ("",), honest().graphs * 2, ("0" * 64,), ("z" * 64,)):
        assert judged_unknown(replace(honest(), graphs=prints)) == (another,)


def test_steps_dropped_repeated_and_in_another_order():
    certificate = honest()
    for steps in (
        certificate.steps[1:],
        certificate.steps[:-1],
        (*certificate.steps, certificate.steps[0]),
        certificate.steps[::-1],
        (),
    ):
        assert judged_unknown(replace(certificate, steps=steps)) == (f"the steps are not {ORDER}",)


@pytest.mark.parametrize("statement", ["", "a", "z", "it is no weight"])
@pytest.mark.parametrize("step_id", [*STRUCTURAL_STEPS, *MEASURED_STEPS])
def test_another_statement(step_id, statement):
    expected = "a step states something else than its obligation"
    assert judged_unknown(with_step(honest(), step_id, statement=statement)) == (expected,)


@pytest.mark.parametrize("holds", ["yes", 1, 0, "", ()])
@pytest.mark.parametrize("step_id", [*STRUCTURAL_STEPS, *MEASURED_STEPS])
def test_a_step_that_neither_holds_nor_fails(step_id, holds):
    expected = "a step neither holds nor fails nor is open"
    assert judged_unknown(with_step(honest(), step_id, holds=holds)) == (expected,)


def test_a_statement_is_its_words():
    """As a file gives it: equal, and another object."""
    steps = tuple(replace(s, statement="".join(list(s.statement))) for s in honest().steps)
    assert objections(replace(honest(), steps=steps)) == ()


def test_everything_that_is_wrong_is_said():
    broken = with_claim(replace(honest(), graphs=("",), steps=()), kind="x")
    assert judged_unknown(broken) == (
        "the claim is of an unknown kind: x",
        "the certificate was made for another graph",
        f"the steps are not {ORDER}",
    )


@pytest.mark.parametrize("facts", [("v",), (("v",),), (("v", 1),), ((1, True),)])
def test_what_was_created_is_a_list_of_variables(facts):
    lie = with_step(honest(TRUE), "not_created", facts=facts)
    judgement = check(lie, {"g0": graph(SOME)})
    assert not judgement.accepted
    assert "not_created: the facts are no list of variables" in judgement.objections
