"""What follows, in this run, from a tensor turning out to be a variable."""

from __future__ import annotations

from scopewatch.model.claims import NEVER_A_VARIABLE, Proof
from scopewatch.model.gradients import GradientRow, build_gradients
from scopewatch.model.log import Log
from scopewatch.model.short import short_names


def why_it_matters(log: Log, proof: Proof) -> list[str]:
    """Sentences about a refuted claim, each from what this run showed."""
    if proof.claim.kind != NEVER_A_VARIABLE:
        return ["the tensor has the structure of weight normalisation, but not its values"]
    step = next((s for s in proof.steps if s.id == "no_variable_behind"), None)
    own = {name for fact in (step.facts if step else ()) for name in fact[1]}
    said = []
    tables = build_gradients(log)
    rows = [r for t in tables[:1] for r in t.rows if r.role == "variable"]
    short = short_names([r.tensor for r in rows])
    mine = [r for r in rows if r.tensor in own]
    if any(r.updated for r in mine):
        said.append(f"an optimizer updates {_names(mine, short)} directly, past whatever it was first computed from")
    without = [r for r in rows if r.tensor not in own and r.receipt.receives == "none"]
    if without:
        said.append(
            f"{_names(without, short)} receive{'s' if len(without) == 1 else ''} no gradient: {_reason(without[0])}"
        )
    if own:
        saved = {key for c in log.checkpoints for key, _ in c.entries or ()}
        kept = sorted(v.name for g in log.graphs for v in g.variables if v.name in own and v.checkpoint_key in saved)
        said.append(
            f"its value is kept between runs{' and saved in checkpoints as ' + ', '.join(kept) if kept else ''}; "
            "it does not follow a change of other variables by itself"
        )
    return said


def _names(rows: list[GradientRow], short: dict[str, str]) -> str:
    names = [short[r.tensor] for r in rows]
    if len(names) > 4:
        return f"{', '.join(names[:4])} and {len(names) - 4} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _reason(row: GradientRow) -> str:
    words = {"stopped": "it is stopped", "not_differentiable": "an op on the way is not differentiable"}
    return words.get(row.receipt.reason or "", "there is no path from it to the loss")
