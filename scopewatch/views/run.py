"""A run on the terminal: the first screen, and each of its parts in full by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from scopewatch.model.alike import READABLE, Alike
from scopewatch.model.claims import NEVER_A_VARIABLE, Proof
from scopewatch.model.error_card import build_error_card
from scopewatch.model.flow import build_derivations, build_flow
from scopewatch.views.alike import between, how_to_open
from scopewatch.views.error import error_summary, error_view
from scopewatch.views.flow import flow_lines
from scopewatch.views.gradients import gradient_summary, gradients_view
from scopewatch.views.phases import phases_view
from scopewatch.views.proof import proof_summary, proof_view
from scopewatch.views.requests import requests_view
from scopewatch.views.scopes import scope_summary, scopes_view
from scopewatch.views.screen import Screen, heading
from scopewatch.views.sharing import sharing_view
from scopewatch.views.source import source_view
from scopewatch.views.tables import Indented
from scopewatch.views.text import HEADING, QUIET, WARN, plain, text
from scopewatch.views.trainable import trainable_summary, trainable_view
from scopewatch.views.variables import variables_view
from scopewatch.views.weights import weights_summary, weights_view

_MOST_SCOPE_LINES = 14
_MOST_GRADIENT_LINES = 9
_MOST_WEIGHT_LINES = 4


def title_lines(screen: Screen) -> list[RenderableType]:
    """What was run, with which TensorFlow, how large it became, and where it was stopped."""
    header = screen.log.header
    ops = sum(len(g.body) for g in screen.log.graphs)
    graphs = f" in {len(screen.log.graphs)} graphs" if len(screen.log.graphs) > 1 else ""
    seed = f" | seed {header.graph_seed}" if header.graph_seed is not None else ""
    right = f"TensorFlow {plain(header.tensorflow)} | {ops:,} ops{graphs}{seed}"
    name, title = plain(header.target), plain(header.title) if header.title != header.target else ""
    left = f"{name}: {title}" if title else name
    below: list[RenderableType] = []
    if cell_len(left) + cell_len(right) + 2 > screen.width and title:
        left = name
        below.append(text(title))
    space = " " * max(2, screen.width - cell_len(left) - cell_len(right))
    first = Text.assemble((left, HEADING), space, (right, QUIET), no_wrap=True, overflow="ellipsis")
    if header.stopped:
        stopped = f"stopped {plain(header.stopped)}; --until end runs it all"
        below.append(Text(stopped, QUIET, overflow="fold"))
    return [first, *below]


def summary(screen: Screen) -> list[RenderableType]:
    """The first screen: flow, scopes, trainable sets, gradients, proof, and what to type next."""
    names = {p.claim.python_name for p in screen.proofs}
    return [
        *title_lines(screen),
        *error_summary(screen),
        *_flow(screen, with_heading=True),
        *_scopes(screen),
        *(trainable_summary(screen) if screen.variables else []),
        *_gradients(screen, names),
        *(proof_summary(screen) if screen.proofs else weights_summary(screen, _MOST_WEIGHT_LINES)),
        *_closing(screen),
    ]


def _gradients(screen: Screen, names: set[str]) -> list[RenderableType]:
    """The table of the main loss; after a failure only of one that the program got as far as to name."""
    if screen.log.error is not None and screen.gradients and screen.gradients[0].measure.how == "assumed":
        return []
    return gradient_summary(screen, names, _MOST_GRADIENT_LINES)


def _scopes(screen: Screen) -> list[RenderableType]:
    if screen.requests or len(screen.scopes) > 1:
        return scope_summary(screen, _MOST_SCOPE_LINES)
    return [_no_requests(screen)]


def _no_requests(screen: Screen) -> Text:
    if screen.log.header.unknown("requests"):
        return text("SCOPE  which requests were made is unknown, see below", WARN)
    count = len(screen.variables)
    made = f"{count} variable{'' if count == 1 else 's'} made without any" if count else "no variable either"
    return text(f"SCOPE  no get_variable request; {made}", QUIET)


def _flow(screen: Screen, with_heading: bool) -> list[RenderableType]:
    structural = next((p for p in screen.proofs if p.claim.kind == NEVER_A_VARIABLE), None)
    if structural is None:
        return []
    drawn = _drawing(screen, structural, 0)
    title = heading("FLOW", "[boxed] = variable, kept between runs    plain = tensor, recomputed")
    return [*([title] if with_heading else []), *drawn] if drawn else []


def _drawing(screen: Screen, proof: Proof, index: int) -> list[RenderableType]:
    graph, tensor = proof.claim.graphs[index], proof.claim.tensors[index]
    loss = next((g.loss for g in screen.log.gradients if g.graph == graph), None)
    tree = build_flow(screen.log, graph, tensor, loss)
    if tree is None or not tree.operands:
        return []
    lines = flow_lines(tree, screen.width - 2, screen.ascii_only)
    return [Text.assemble("  ", line, no_wrap=True, overflow="ellipsis") for line in lines]


def flow_view(screen: Screen) -> list[RenderableType]:
    """The flow of each claimed tensor; of every distinct one where a name was bound several times."""
    lines: list[RenderableType] = []
    claims = [proof for proof in screen.proofs if proof.claim.kind == NEVER_A_VARIABLE]
    for proof in claims:
        name, tensors = proof.claim.python_name, proof.claim.tensors
        wanted = [i for i, tensor in enumerate(tensors) if screen.wanted(tensor, name)]
        folded = _folded_tensors(screen, proof, wanted)
        for alike in folded:
            tensor = tensors[alike.first]
            if alike.is_folded:
                tensor = between(tensor, tensors[alike.last], screen.width // 2)
                tensor += f": {len(alike):,} derived alike, the first drawn"
            lines += [heading("FLOW", f"{name} = {tensor}"), *_drawing(screen, proof, alike.first)]
        lines += how_to_open(screen.opens, folded)
    return lines or [Text("FLOW  none of this name" if claims else "FLOW  name a tensor to draw: --prove NAME")]


def _folded_tensors(screen: Screen, proof: Proof, wanted: Sequence[int]) -> list[Alike[int]]:
    """The numbers of a claim's tensors, those derived alike together."""
    trees = _derivations(screen, proof) if len(wanted) > READABLE and screen.pattern is None else []
    return screen.folded(wanted, lambda i: proof.claim.tensors[i], lambda i: trees[i])


def _derivations(screen: Screen, proof: Proof) -> list[str]:
    """What is drawn of each tensor from its variables to it: the way on is searched only for what is drawn."""
    graphs, tensors = proof.claim.graphs, proof.claim.tensors
    made = {
        g: iter(build_derivations(screen.log, g, [t for t, of in zip(tensors, graphs, strict=True) if of == g]))
        for g in dict.fromkeys(graphs)
    }
    return [f"{graph} {next(made[graph])}" for graph in graphs]


def _closing(screen: Screen) -> list[RenderableType]:
    """Where the run was stopped, notes, and the next command worth typing."""
    header = screen.log.header
    lines: list[RenderableType] = []
    notes = [*screen.trainable.notes]
    if any(r.event.graph is None for r in screen.requests):
        lines.append(text("eager: no graph is built, and each get_variable made a new variable", WARN))
    if header.adaptations:
        lines.append(Indented(Text("adapted: " + plain("; ".join(header.adaptations)), QUIET), 0))
    lines += [Indented(Text(f"note: {plain(n)}", WARN), 0) for n in header.all_notes]
    if screen.log.error is None and screen.gradients and screen.gradients[0].measure.how == "assumed":
        how = "loss=NAME" if _in_block(screen) else "--loss NAME"
        seen = "nothing was seen to be" if header.unknown("losses") else "nothing is"
        lines.append(text(f"the loss is ASSUMED: {seen} differentiated; name one with {how}", WARN))
    note = Text()
    if notes:
        more = f" (+{len(notes) - 1} more)" if len(notes) > 1 else ""
        note = Text.assemble(("note 1: ", WARN), plain(notes[0].title) + more)
    following = f"next: {_next(screen)}"
    space = screen.width - note.cell_len - len(following)
    if notes and space >= 2:
        lines.append(Text.assemble(note, " " * space, (following, HEADING), no_wrap=True, overflow="ellipsis"))
    else:
        lines += [note] if notes else []
        lines.append(Text(following, HEADING, no_wrap=True, overflow="ellipsis"))
    return lines


def _in_block(screen: Screen) -> bool:
    """Whether this is of code that watches itself, where one types Python and no command line."""
    return screen.log.header.until == "block-end"


def _next(screen: Screen) -> str:
    target = plain(screen.log.header.target)
    if _in_block(screen):
        name = plain(screen.proofs[0].claim.python_name) if screen.proofs else ""
        return f'log.prove("{name}")' if name else 'log.view("requests")'
    if screen.log.error is not None:
        card = build_error_card(screen.log)
        if card is not None and card.to_try and screen.trials is None:
            return f"scopewatch run {target} --try"
        return f"scopewatch show {target} --view {'requests' if card is None or card.request is None else 'error'}"
    if screen.proofs:
        return f"scopewatch prove {target} {plain(screen.proofs[0].claim.python_name)}"
    shared = any(r.event.outcome == "reused" for r in screen.requests)
    return f"scopewatch show {target} --view {'sharing' if shared else 'requests'}"


VIEWS: dict[str, Callable[[Screen], list[RenderableType]]] = {
    "summary": summary,
    "error": error_view,
    "scopes": scopes_view,
    "requests": requests_view,
    "sharing": sharing_view,
    "variables": variables_view,
    "trainable": trainable_view,
    "gradients": gradients_view,
    "weights": weights_view,
    "flow": flow_view,
    "proof": proof_view,
    "source": source_view,
    "phases": phases_view,
}
"""Every view by the name that `--view` takes."""
