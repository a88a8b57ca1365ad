"""The JSON report: its keys are a contract with other programs (`scopewatch.report/1`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from scopewatch.model.claims import Proof
from scopewatch.model.error_card import Fix, OpenScope, Trial, build_error_card
from scopewatch.model.events import Frame, MadeDirectly
from scopewatch.model.gradients import GradientRow, build_gradients
from scopewatch.model.log import Log
from scopewatch.model.requests import RequestRow, build_requests
from scopewatch.model.scopes import Scope, build_scopes
from scopewatch.model.variables import VariableRow, build_trainable, build_variables
from scopewatch.model.weights import build_weights

REPORT_SCHEMA = "scopewatch.report/1"


def build_report(log: Log, proofs: Sequence[Proof], trials: Sequence[Trial] | None = None) -> dict[str, Any]:
    """The report of one run as plain data, ready for `json.dumps`; `trials`: what `--try` found."""
    trainable = build_trainable(log)
    return {
        "schema": REPORT_SCHEMA,
        "target": log.header.target,
        "tensorflow": log.header.tensorflow,
        "python": log.header.python,
        "recorded_at": log.header.recorded_at,
        "until": log.header.until,
        "stopped": log.header.stopped,
        "adaptations": list(log.header.adaptations),
        "notes": [*log.header.all_notes, *(n.text for n in trainable.notes)],
        "graphs": [{"id": g.id, "ops": len(g.body)} for g in log.graphs],
        "requests": [_request(r) for r in build_requests(log)],
        "direct": [_direct(log, e) for e in log.of(MadeDirectly)],
        "scopes": [_scope(s) for s in build_scopes(log)],
        "variables": [_variable(v) for v in build_variables(log)],
        "trainable": {
            "graph": list(trainable.graph),
            "layers": {key: list(names) for key, names in trainable.layers.items()},
            "optimizers": [{"name": name, "variables": list(names)} for name, names in trainable.optimizers],
        },
        "gradients": [
            {
                "loss": {"tensor": t.measure.loss, "python_name": t.measure.python_name, "how": t.measure.how},
                "measured": t.measure.at,
                "rows": [_gradient(r) for r in t.rows],
            }
            for t in build_gradients(log)
        ],
        "weights": [asdict(w) for w in build_weights(log)],
        "proofs": [_proof(p) for p in proofs],
        "error": _error(log),
        "error_card": _card(log, trials),
    }


def _place(frame: Frame | None) -> dict[str, Any] | None:
    return None if frame is None else {"file": frame.file, "line": frame.line}


def _frame(frame: Frame) -> dict[str, Any]:
    return {"file": frame.file, "line": frame.line, "function": frame.function}


def _request(row: RequestRow) -> dict[str, Any]:
    event, caller = row.event, row.caller
    return {
        "seq": event.seq,
        "graph": event.graph,
        "name": event.name,
        "outcome": event.outcome,
        "stored": list(event.stored),
        "reuse": event.reuse,
        "reuse_set_at": _place(row.flag_set_at),
        "scope": event.scope,
        "shape": None if event.shape is None else list(event.shape),
        "dtype": event.dtype,
        "trainable": event.trainable,
        "asked_trainable": event.asked_trainable,
        "asked_by": event.asked_by,
        "file": caller.file if caller else None,
        "line": caller.line if caller else None,
        "function": caller.function if caller else None,
        "via": [_frame(f) for f in row.via],
        "first_created_at": _place(row.first_created),
        "error": event.error,
    }


def _direct(log: Log, event: MadeDirectly) -> dict[str, Any]:
    caller = log.caller(event.path)
    return {
        "graph": event.graph,
        "name": event.name,
        "role": event.role,
        "file": caller.file if caller else None,
        "line": caller.line if caller else None,
    }


def _scope(scope: Scope) -> dict[str, Any]:
    outcomes = scope.outcomes
    return {
        "graph": scope.graph,
        "name": scope.name,
        "entered": scope.entered,
        "entered_by_library": scope.entered_by_library,
        "reuse": scope.reuse,
        "reuses": list(scope.reuses),
        "name_scopes": list(scope.name_scopes),
        "requests": len(scope.requests),
        "created": outcomes["created"],
        "reused": outcomes["reused"],
        "refused": outcomes["refused"],
        "params": scope.params,
    }


def _variable(row: VariableRow) -> dict[str, Any]:
    record = row.record
    return {
        "graph": row.graph,
        "name": record.name,
        "shape": None if record.shape is None else list(record.shape),
        "dtype": record.dtype,
        "trainable": record.trainable,
        "collections": list(record.collections),
        "kind": record.kind,
        "requests": row.requests,
        "reused": row.reused,
        "params": record.params,
        "bytes": row.bytes,
        "device": record.device,
        "checkpoint_key": record.checkpoint_key,
        "created_at": _place(row.made_at),
    }


def _gradient(row: GradientRow) -> dict[str, Any]:
    receipt = row.receipt
    blocker = receipt.blocked_by
    data: dict[str, Any] = {
        "tensor": row.tensor,
        "python_name": row.python_name,
        "role": row.role,
        "receives": receipt.receives,
        "reason": receipt.reason,
        "blocked_by": None
        if blocker is None
        else {"op": blocker.op, "type": blocker.type, "file": blocker.file, "line": blocker.line},
        "norm": receipt.norm,
        "updated": row.updated,
    }
    if receipt.norm is None and receipt.norm_unknown_because is not None:
        data["norm_unknown_because"] = receipt.norm_unknown_because
    return data


def _proof(proof: Proof) -> dict[str, Any]:
    return {
        "claim": {
            "kind": proof.claim.kind,
            "python_name": proof.claim.python_name,
            "tensors": list(proof.claim.tensors),
        },
        "verdict": proof.verdict,
        "checked": proof.judgement.accepted,
        "steps": [
            {"id": s.id, "statement": s.statement, "holds": s.holds, "evidence": s.evidence} for s in proof.steps
        ],
    }


def _error(log: Log) -> dict[str, Any] | None:
    error = log.error
    if error is None:
        return None
    caller = log.caller(error.path)
    return {
        "type": error.type,
        "message": error.message,
        "file": caller.file if caller else None,
        "line": caller.line if caller else None,
        "explanation": error.explanation,
    }


def _card(log: Log, trials: Sequence[Trial] | None) -> dict[str, Any] | None:
    """What is known of the error, or of the first refusal that the program caught."""
    card = build_error_card(log)
    if card is None:
        return None
    data: dict[str, Any] = {
        "type": card.type,
        "message": card.message,
        "ended": card.ended,
        "refused": card.request.event.name if card.request else None,
        "asked": [_frame(f) for f in card.asked],
        "created": [_frame(f) for f in card.created],
        "scopes": [_open_scope(s) for s in card.scopes],
        "topic": card.topic,
        "cause": card.cause,
        "fixes": [_fix(f) for f in card.fixes],
    }
    return data if trials is None else {**data, "trials": [_trial(t) for t in trials]}


def _open_scope(scope: OpenScope) -> dict[str, Any]:
    return {
        "scope": scope.name,
        "reuse": scope.flag,
        "how": scope.how,
        "reuse_set_at": _place(scope.flag_set_at),
        "entered_at": _place(scope.entered_at),
        "by_library": scope.by_library,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    override = fix.override
    return {
        "kind": fix.kind,
        "sentence": fix.sentence,
        "scope": override.scope if override else None,
        "flag": override.flag if override else None,
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "fix": _fix(trial.fix),
        "builds": trial.builds,
        "error": trial.error,
        "at": _place(trial.at),
        "variables": trial.variables,
        "shared": list(trial.shared),
        "refused_before": trial.asked,
    }
