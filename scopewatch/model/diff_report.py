"""The comparison as plain data for `--json` (`scopewatch.diff/1`); its keys are a contract with other programs.

schema       "scopewatch.diff/1"
a, b         { target, title, tensorflow, python, until, stopped, variables, params, error }
                                                 error: null, or { type, message, file, line }
identical    true where nothing that is compared differs
counts       { same, renamed, changed, only_in_a, only_in_b }     each variable once, slots and parts too:
                                                 same + renamed + changed + only_in_a are all of A; a partitioned
                                                 variable counts once; renamed ones that changed too count as renamed
graphs       [ { a, b } ]                        ids of the graphs that were compared; null: it has no counterpart
variables    [ { difference,                     "renamed" | "changed" | "only_in_a" | "only_in_b"
                 a, b,                           { graph, name, shape, dtype, trainable, kind, parts, key, slot_of,
                                                 file, line } or null; key: in a checkpoint, null if not saved
                 changes,                        [ { what, a, b } ]; what: "shape" | "dtype" | "trainable" |
                                                 "kind" | "parts" | "saved"
                 guessed,                        true where several would fit, or nothing of the name is left
                 checkpoint } ]                  "fits" | "noticed" | "silent" (restored wrongly without an error)
renames      [ { a, b, variables, slots, guessed, checkpoint } ]   the renamed ones, folded: "dense" -> "encoder/dense"
checkpoints  [ { graph_a, graph_b, missing, unread, raises, silent } ]   A's checkpoint restored into B's graph:
                                                 lists of keys
requests     [ { name_a, name_b, a, b, asked_at_a, asked_at_b } ]  a, b: the outcomes in order, where they differ
gradients    [ { loss_a, loss_b, rows } ]        rows: [ { name, change, a, b } ]; change: "same" | "lost" | "gained" |
                                                 "other" | "only in A" | "only in B"; a, b: { tensor, role, receives,
                                                 reason, blocked_by, norm, updated } or null
proofs       [ { python_name, kind, a, b } ]     a, b: { verdict, failing: [ { id, evidence } ] } or null: no such name
"""

from __future__ import annotations

from typing import Any

from scopewatch.model.claims import Proof
from scopewatch.model.differences import Difference, Run, VariablePair
from scopewatch.model.events import Frame
from scopewatch.model.folds import fold_renames
from scopewatch.model.gradients import GradientRow
from scopewatch.model.log import GradientMeasure
from scopewatch.model.units import Unit

DIFF_SCHEMA = "scopewatch.diff/1"


def build_diff_report(difference: Difference) -> dict[str, Any]:
    """The comparison, ready for `json.dumps`."""
    d = difference
    return {
        "schema": DIFF_SCHEMA,
        "a": _run(d.a),
        "b": _run(d.b),
        "identical": d.is_empty,
        "counts": {
            "same": sum(p.is_same for p in d.pairs),
            "renamed": len(d.renamed),
            "changed": sum(not p.is_renamed for p in d.changed),
            "only_in_a": len(d.only_a),
            "only_in_b": len(d.only_b),
        },
        "graphs": [{"a": a, "b": b} for a, b in d.graphs],
        "variables": [
            *(_pair(p) for p in d.pairs if not p.is_same),
            *(_alone("only_in_a", _unit(o.unit), None, o.fit) for o in d.only_a),
            *(_alone("only_in_b", None, _unit(o.unit), o.fit) for o in d.only_b),
        ],
        "renames": [
            {
                "a": r.a,
                "b": r.b,
                "variables": r.variables,
                "slots": r.slots,
                "guessed": r.is_guess,
                "checkpoint": r.fit,
            }
            for r in fold_renames(d.pairs)
        ],
        "checkpoints": [
            {
                "graph_a": c.graph_a,
                "graph_b": c.graph_b,
                "missing": list(c.missing),
                "unread": list(c.unread),
                "raises": [m.key for m in c.raising],
                "silent": [m.key for m in c.silent],
            }
            for c in d.checkpoints
        ],
        "requests": [
            {
                "name_a": r.name_a,
                "name_b": r.name_b,
                "a": list(r.a),
                "b": list(r.b),
                "asked_at_a": _place(r.at_a),
                "asked_at_b": _place(r.at_b),
            }
            for r in d.requests
        ],
        "gradients": [
            {
                "loss_a": _loss(loss.a),
                "loss_b": _loss(loss.b),
                "rows": [{"name": r.name, "change": r.change, "a": _row(r.a), "b": _row(r.b)} for r in loss.rows],
            }
            for loss in d.losses
        ],
        "proofs": [
            {"python_name": p.python_name, "kind": p.kind, "a": _proof(p.a), "b": _proof(p.b)} for p in d.proofs
        ],
    }


def _run(run: Run) -> dict[str, Any]:
    header, error = run.log.header, run.log.error
    variables = [v for g in run.log.graphs for v in g.variables]
    failed = None
    if error is not None:
        failed = {"type": error.type, "message": error.message, **(_place(run.log.caller(error.path)) or {})}
    return {
        "target": run.name,
        "title": header.title,
        "tensorflow": header.tensorflow,
        "python": header.python,
        "until": header.until,
        "stopped": header.stopped,
        "variables": len(variables),
        "params": sum(v.params for v in variables),
        "error": failed,
    }


def _place(frame: Frame | None) -> dict[str, Any] | None:
    return None if frame is None else {"file": frame.file, "line": frame.line}


def _unit(unit: Unit) -> dict[str, Any]:
    return {
        "graph": unit.graph,
        "name": unit.name,
        "shape": None if unit.shape is None else list(unit.shape),
        "dtype": unit.dtype,
        "trainable": unit.trainable,
        "kind": unit.kind,
        "parts": [part.name for part in unit.parts] if unit.is_partitioned else [],
        "key": unit.key,
        "slot_of": unit.owner,
        "file": unit.made_at.file if unit.made_at else None,
        "line": unit.made_at.line if unit.made_at else None,
    }


def _pair(pair: VariablePair) -> dict[str, Any]:
    return {
        "difference": "renamed" if pair.is_renamed else "changed",
        "a": _unit(pair.a),
        "b": _unit(pair.b),
        "changes": [{"what": c.what, "a": c.a, "b": c.b} for c in pair.changes],
        "guessed": pair.how == "guess",
        "checkpoint": pair.fit,
    }


def _alone(difference: str, a: dict[str, Any] | None, b: dict[str, Any] | None, fit: str) -> dict[str, Any]:
    return {"difference": difference, "a": a, "b": b, "changes": [], "guessed": False, "checkpoint": fit}


def _loss(measure: GradientMeasure | None) -> dict[str, Any] | None:
    if measure is None:
        return None
    return {"tensor": measure.loss, "python_name": measure.python_name, "how": measure.how}


def _row(row: GradientRow | None) -> dict[str, Any] | None:
    if row is None:
        return None
    receipt = row.receipt
    return {
        "tensor": row.tensor,
        "role": row.role,
        "receives": receipt.receives,
        "reason": receipt.reason,
        "blocked_by": receipt.blocked_by.op if receipt.blocked_by else None,
        "norm": receipt.norm,
        "updated": row.updated,
    }


def _proof(proof: Proof | None) -> dict[str, Any] | None:
    if proof is None:
        return None
    return {
        "verdict": proof.verdict,
        "failing": [{"id": s.id, "evidence": s.evidence} for s in proof.steps if s.holds is False],
    }
