"""Each step of a backward pass in one plain sentence."""

from __future__ import annotations

from rich.text import Text

from scopewatch.model.backward import BackStep, Backward, Landmark, OpAt
from scopewatch.model.log import Receipt
from scopewatch.views.screen import listed
from scopewatch.views.text import BAD, QUIET, RECEIVES_STYLES, TENSOR, VARIABLE, number, plain, short_file

_WHY = {
    "stopped": "it lets values through and keeps gradients back",
    "not_differentiable": "it has no gradient",
    "not_connected": "no way leads from there to the loss",
    "flows": "",
}


def back_sentence(pass_: Backward, step: BackStep) -> Text:
    """A mark and a sentence."""
    loss = plain(pass_.measure.python_name or pass_.measure.loss)
    if step.kind == "end":
        return _end(pass_, loss)
    if step.kind in ("cut", "unreached"):
        return _cut(pass_, step)
    if step.kind == "folded":
        first, last = pass_.op_name(step.ops[0]), pass_.op_name(step.ops[-1])
        return Text(f"... {len(step.ops):,} ops without a name hand it on, from {plain(first)} to {plain(last)}.")
    at, mark = step.ops[0], step.landmark
    if step.kind == "loss":
        start = Text.assemble(("* loss  ", TENSOR), "Backwards from ", (loss, TENSOR), ": its gradient by itself is 1.")
        return start.append(_onwards(pass_, at))
    if mark is None or mark.receipt is None:
        said = Text.assemble(("<- op  ", QUIET), f"{plain(pass_.type(at))} ", (plain(pass_.op_name(at)), QUIET))
        return said.append(_onwards(pass_, at).replace(" It hands", " hands", 1) or " takes a gradient.")
    return _received(pass_, at, mark, mark.receipt)


def _received(pass_: Backward, at: OpAt, mark: Landmark, receipt: Receipt) -> Text:
    style = RECEIVES_STYLES[receipt.receives]
    if receipt.receives == "unknown":
        why = plain(receipt.norm_unknown_because or "it was not measured")
        return Text.assemble(("<- unknown  ", style), f"What {plain(mark.name)} receives is unknown, because {why}.")
    norm = f", norm {number(receipt.norm)}" if receipt.norm is not None else ""
    unknown = f" (norm unknown, because {plain(receipt.norm_unknown_because)})" if receipt.norm_unknown_because else ""
    kind = "variable " if mark.is_variable else ""
    said = Text.assemble(
        (f"<- {receipt.receives}  ", style),
        kind,
        (plain(mark.name), VARIABLE if mark.is_variable else TENSOR),
        f" receives a {receipt.receives} gradient{norm}{unknown}",
    )
    if mark.is_variable:
        return said.append(": the pass ends here, at what is kept between runs.")
    return said + Text.assemble(".", _onwards(pass_, at))


def _onwards(pass_: Backward, at: OpAt) -> str:
    given, kept = pass_.passes_to(at)
    words = f" It hands one to {_labels(pass_, given)}." if given else ""
    return words + (f" It keeps it from {_labels(pass_, kept)}." if kept else "")


def _labels(pass_: Backward, ops: list[OpAt]) -> str:
    return " and ".join(label(pass_, at) for at in ops[:4]) + (f" and {len(ops) - 4} more" if len(ops) > 4 else "")


def label(pass_: Backward, at: OpAt) -> str:
    """What an op is called on a screen: its Python name, the end of a variable's name, else its type and name."""
    mark = pass_.landmarks.get(at)
    if mark is not None:
        return plain(pass_.called(mark))
    body = pass_.body(at)
    end = body.names[at.op].rpartition("/")[2]
    if pass_.type(at) in ("Identity", "ReadVariableOp"):
        read = pass_.landmarks.get(OpAt(at.body, body.inputs(at.op)[0].op)) if body.inputs(at.op) else None
        if read is not None and read.is_variable:
            return plain(f"the read of {pass_.called(read)}")
    return plain(end if end.lower() == pass_.type(at).lower() else f"{pass_.type(at)} {end}")


def _cut(pass_: Backward, step: BackStep) -> Text:
    names = listed(dict.fromkeys(map(pass_.called, step.without)), 6)
    said = Text.assemble(
        ("x none  ", BAD), names, " receives nothing" if len(step.without) == 1 else " receive nothing"
    )
    why = _WHY.get(step.reason or "", "")
    if step.blocker is None:
        return said.append(f": {why or 'the reason is unknown'}.")
    file = f" at {place_of(step)}" if step.blocker.file is not None else ""
    said.append(f": {plain(step.blocker.type)}{file} cuts the way; {why}.")
    return said.append(_onwards(pass_, step.ops[0]) if step.ops else "")


def place_of(step: BackStep) -> str:
    """`model.py:12` of the op that cuts the way."""
    blocker = step.blocker
    if blocker is None or blocker.file is None:
        return "-"
    return f"{short_file(blocker.file)}:{blocker.line}"


def _end(pass_: Backward, loss: str) -> Text:
    variables = pass_.received_variables
    if pass_.short:
        variables = [pass_.short.get(name, name) for name in variables]
    said = Text.assemble(("* end  ", TENSOR), f"From {loss} a gradient came to the variables {listed(variables, 5)}. ")
    given = {v for _, names in pass_.given_to_optimizers for v in names}
    names = ", ".join(dict.fromkeys(plain(name) for name, _ in pass_.given_to_optimizers))
    said.append(f"{names} was given {len(given):,} to update." if given else "No optimizer was given any to update.")
    claimed = [name for name in pass_.received_tensors if name in pass_.log.header.claims]
    for name in dict.fromkeys(claimed):
        said.append(f" {plain(name)} received one too, and is not among them: it is computed, not kept.")
    return said
