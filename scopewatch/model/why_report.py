"""A card about one variable or tensor as JSON (`scopewatch.why/1`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scopewatch.model.claims import NEVER_A_VARIABLE, Proof
from scopewatch.model.events import Frame, Path
from scopewatch.model.log import Log
from scopewatch.model.sharing import Call
from scopewatch.model.why import FromLoss, Naming, OpAt, VariableCard
from scopewatch.model.why_tensor import TensorCard

WHY_SCHEMA = "scopewatch.why/1"


def variable_report(log: Log, card: VariableCard) -> dict[str, Any]:
    """The card of a variable, ready for `json.dumps`."""
    record, kept = card.record, card.checkpoint
    return {
        **_head(log, "variable", card.subject.name, card.subject.graph),
        "parts": [{"name": r.name, "shape": _shape(r.shape)} for r in card.subject.records],
        "shape": _shape(record.shape) if len(card.subject.records) == 1 else None,
        "dtype": record.dtype,
        "kind": record.kind,
        "params": card.params,
        "trainable": record.trainable,
        "asked_as": list(card.asked_as),
        "created": {
            "how": card.origin.how,
            "via": _path(card.origin.path),
            "reuse": card.origin.call.reuse if card.origin.call else None,
            "reuse_set_at": _place(card.origin.call.flag_set_at) if card.origin.call else None,
        },
        "retrieved": [_call(c) for c in card.retrieved],
        "refused": [_call(c) for c in card.refused],
        "errors": list(card.errors),
        "bound_to": [_naming(n) for n in card.namings],
        "layers": {"tracked_by": list(card.tracked_by), "not_tracked_by": list(card.untracked_by)},
        "collections": list(record.collections),
        "devices": list(card.devices),
        "read_by": [_op(op) for op in card.readers],
        "written_by": [_op(op) for op in card.writers],
        "complete": card.complete,
        "gradients": [_from_loss(f) for f in card.losses],
        "optimizers": [{"name": g.optimizer, "at": _place(g.frame)} for g in card.optimizers],
        "slot_of": card.slot_of,
        "slots": list(card.slots),
        "averages": list(card.averages),
        "checkpoint": {
            "key": kept.key,
            "slices": kept.slices,
            "saved_by_default": kept.saved,
            "seen": kept.seen,
            "because": kept.because,
        },
    }


def tensor_report(log: Log, card: TensorCard, proofs: Sequence[Proof]) -> dict[str, Any]:
    """The card of a tensor, ready for `json.dumps`."""
    proof = next((p for p in proofs if p.claim.kind == NEVER_A_VARIABLE), None)
    return {
        **_head(log, "tensor", card.subject.name, card.subject.graph),
        "op_type": card.op_type or None,
        "shape": _shape(card.shape) if card.shape_known else None,
        "dtype": card.dtype,
        "built_at": _path(card.path),
        "bound_to": [_naming(n) for n in card.namings],
        "is_variables": list(card.is_variables),
        "computed_from": {"variables": list(card.variables), "inputs": list(card.inputs)},
        "unknown": list(card.unknown),
        "never_a_variable": None if proof is None else proof.verdict,
        "used_by": [_op(op) for op in card.readers],
        "complete": card.complete,
        "gradients": [_from_loss(f) for f in card.losses],
        "executed": card.executed,
    }


def _head(log: Log, kind: str, name: str, graph: str) -> dict[str, Any]:
    return {"schema": WHY_SCHEMA, "target": log.header.target, "subject": kind, "name": name, "graph": graph}


def _shape(shape: tuple[int | None, ...] | None) -> list[int | None] | None:
    return None if shape is None else list(shape)


def _place(frame: Frame | None) -> dict[str, Any] | None:
    return None if frame is None else {"file": frame.file, "line": frame.line}


def _path(path: Path) -> list[dict[str, Any]]:
    return [{"file": f.file, "line": f.line, "function": f.function} for f in path]


def _call(call: Call) -> dict[str, Any]:
    return {
        "start": _place(call.start),
        "caller": _place(call.caller),
        "reuse": call.reuse,
        "reuse_set_at": _place(call.flag_set_at),
        "times": call.times,
    }


def _naming(naming: Naming) -> dict[str, Any]:
    return {"name": naming.name, "at": _place(naming.frame), "times": naming.times}


def _op(op: OpAt) -> dict[str, Any]:
    return {"op": op.name, "type": op.type, "role": op.role, "via": _path(op.path)}


def _from_loss(found: FromLoss) -> dict[str, Any]:
    return {
        "loss": {"tensor": found.loss, "python_name": found.python_name, "how": found.how},
        "measured": found.at,
        "receipts": [
            {
                "tensor": r.tensor,
                "receives": r.receives,
                "reason": r.reason,
                "blocked_by": None
                if r.blocked_by is None
                else {
                    "op": r.blocked_by.op,
                    "type": r.blocked_by.type,
                    "file": r.blocked_by.file,
                    "line": r.blocked_by.line,
                },
                "norm": r.norm,
                "norm_unknown_because": r.norm_unknown_because,
            }
            for r in found.receipts
        ],
        "because": found.because,
        "updated_by": [_op(op) for op in found.updates],
    }
