"""Proofs of several names of one log."""

from __future__ import annotations

from scopewatch.errors import UsageError
from scopewatch.model.claims import Proof
from scopewatch.model.log import Log
from scopewatch.proof.proofs import prove_name


def proofs_of_names(log: Log, names: tuple[str, ...]) -> list[Proof]:
    """Both proofs of each name; where the run failed, of those names that were bound before it did.

    Raises:
        UsageError: the run has no such name.
    """
    proofs: list[Proof] = []
    for name in names:
        try:
            proofs += prove_name(log, name)[1]
        except UsageError:
            if log.error is None:
                raise
    return proofs


def status_of(log: Log, proofs: list[Proof]) -> int:
    """The exit status of a run: 130 interrupted, 143 terminated, 1 if it failed or a claim is not proved, else 0."""
    if log.error is not None:
        return {"KeyboardInterrupt": 130, "Terminated": 143}.get(log.error.type, 1)
    return 1 if any(is_bad(p) for p in proofs) else 0


def is_bad(proof: Proof) -> bool:
    """Whether a verdict fails a command: a structural claim that is not proved, a numeric one that is refuted."""
    return proof.verdict != "proved" if proof.claim.kind == "never_a_variable" else proof.verdict == "refuted"
