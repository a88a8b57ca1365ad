"""The panes of a backward pass: the ops it comes to, what one of them hands on, what was received so far."""

from __future__ import annotations

from bisect import bisect_right

from rich.text import Text

from scopewatch.model.backward import BackStep, Backward, Landmark, OpAt
from scopewatch.views.backward_sentences import label, place_of
from scopewatch.views.screen import listed
from scopewatch.views.stepper.pane import Pane, marked, title
from scopewatch.views.text import BAD, QUIET, RECEIVES_STYLES, TENSOR, VARIABLE, number, place, plain


def walk_pane(pass_: Backward, step: int, start: int) -> Pane:
    """The steps of the pass, the current one marked; `start` is the place of the first."""

    def line(row: int, width: int) -> Text:
        of_row = pass_.steps[row]
        return marked(row == step, _step(pass_, of_row), _right(of_row), width)

    detail = "from the loss to the variables" if pass_.observed else "not recorded op by op: only what has a name"
    return Pane(title("BACKWARDS", detail), len(pass_.steps), line, step, "", lambda row: start + row)


def _step(pass_: Backward, step: BackStep) -> Text:
    if step.kind == "end":
        return Text("end")
    if step.kind == "folded":
        return Text(f"... {len(step.ops):,} ops", QUIET)
    if step.kind == "unreached" or (step.kind == "cut" and step.landmark is None):
        return Text(f"x {listed(dict.fromkeys(map(pass_.called, step.without)), 4)}", BAD)
    mark = step.landmark
    shown = _label(pass_, step.ops[0])
    named = mark is not None and not mark.is_variable
    return Text.assemble(shown, (f"  {plain(pass_.op_name(step.ops[0]))}", QUIET)) if named else shown


def _right(step: BackStep) -> Text:
    if step.kind in ("cut", "unreached"):
        return Text("nothing", BAD)
    return _received(step.landmark)


def _received(mark: Landmark | None) -> Text:
    receipt = mark.receipt if mark is not None else None
    if receipt is None:
        return Text()
    norm = f" {number(receipt.norm)}" if receipt.norm is not None else ""
    return Text(receipt.receives + norm, RECEIVES_STYLES[receipt.receives])


def handing_pane(pass_: Backward, step: int) -> Pane:
    """What one op takes a gradient from, and what it hands one to or keeps it from."""
    lines = _handing(pass_, pass_.steps[step])

    def line(row: int, width: int) -> Text:
        return marked(False, lines[row], None, width)

    return Pane(title("THIS OP"), len(lines), line, None, "no single op")


def _handing(pass_: Backward, step: BackStep) -> list[Text]:
    if not step.ops or len(step.ops) > 1:
        return [Text(f"{plain(pass_.type(at))}  {plain(pass_.op_name(at))}", QUIET) for at in step.ops[:200]]
    at = step.ops[0]
    lines = [Text.assemble((plain(pass_.type(at)), "bold"), (f"  {plain(pass_.op_name(at))}", QUIET))]
    source = pass_.came_from.get(at)
    if source is not None:
        lines.append(Text("from  ").append_text(_label(pass_, source)))
    elif step.kind == "loss":
        lines.append(Text("from  nothing: here it begins, with 1"))
    given, kept = pass_.passes_to(at)
    lines += [Text("to    ").append_text(_label(pass_, to)) for to in given]
    lines += [Text.assemble(("not to  ", BAD), _label(pass_, to)) for to in kept]
    if step.blocker is not None:
        lines.append(Text(f"cut here: {place_of(step)}", BAD))
    return lines


def _label(pass_: Backward, at: OpAt) -> Text:
    mark = pass_.landmarks.get(at)
    return Text(label(pass_, at), QUIET if mark is None else VARIABLE if mark.is_variable else TENSOR)


def received_pane(pass_: Backward, step: int, start: int) -> Pane:
    """What received a gradient so far, with its norm."""
    count = bisect_right(pass_.receipts, step)
    is_now = bool(count) and pass_.receipts[count - 1] == step

    def line(row: int, width: int) -> Text:
        mark = pass_.steps[pass_.receipts[row]].landmark
        assert mark is not None
        at = f"  {place(pass_.log.caller(mark.bound.path), 18)}" if mark.bound is not None else ""
        shown = Text.assemble((plain(pass_.called(mark)), VARIABLE if mark.is_variable else TENSOR), (at, QUIET))
        return marked(is_now and row == count - 1, shown, _received(mark), width)

    receipts = pass_.receipts
    detail = f"so far, {plain(pass_.measure.at)}"
    current = count - 1 if count else None
    return Pane(title("RECEIVED", detail), count, line, current, "nothing yet", lambda row: start + receipts[row])
