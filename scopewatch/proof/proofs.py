"""A name's two claims with their verdicts: structural, as the checker decides, and numeric."""

from __future__ import annotations

from scopewatch.errors import UsageError
from scopewatch.model.claims import (
    LOGGED_STEPS,
    WEIGHT_NORMALISED,
    Certificate,
    Claim,
    Judgement,
    Proof,
    ProofStep,
    verdict_of,
)
from scopewatch.model.log import Log, NumericStep
from scopewatch.model.names import claim_about
from scopewatch.proof.checker import check
from scopewatch.proof.prover import prove


def prove_name(log: Log, name: str) -> tuple[Certificate, list[Proof]]:
    """The certificate for "never a variable", and both proofs of a Python name.

    Raises:
        UsageError: the run has no such name.
    """
    claim = claim_about(log, name)
    certificate = prove(log, claim)
    judgement = _as_far_as_seen(log, check(certificate, log.graph_by_id))
    structural = Proof(claim, certificate.steps, judgement)
    return certificate, [structural, _numeric(log, claim)]


def _as_far_as_seen(log: Log, judgement: Judgement) -> Judgement:
    """Nothing is proved from what was not seen; what was seen refutes all the same."""
    why = log.header.unknown("proofs")
    if why is None or judgement.verdict != "proved":
        return judgement
    return Judgement("unknown", judgement.accepted, (*judgement.objections, why))


def check_saved(certificate: Certificate, log: Log) -> Judgement:
    """The checker's judgement on a saved certificate, its measured steps and its words compared with the log's."""
    try:
        fresh = prove(log, certificate.claim)
    except (KeyError, ValueError, AttributeError, TypeError):  # It is not about this log at all.
        return check(certificate, log.graph_by_id)
    logged = {s.id: (s.holds, s.facts) for s in fresh.steps if s.id in LOGGED_STEPS}
    judgement = _as_far_as_seen(log, check(certificate, log.graph_by_id, logged))
    if judgement.accepted and not _means(log, certificate.claim):
        other = f"the name {certificate.claim.python_name} does not stand for {', '.join(certificate.claim.tensors)}"
        return Judgement("unknown", False, (other,))
    if judgement.accepted:
        pairs = zip(certificate.steps, fresh.steps, strict=True)
        reworded = [f"{said.id}: its evidence is not what the log gives" for said, f in pairs if said != f]
        return Judgement(judgement.verdict, not reworded, tuple(reworded))
    return judgement


def _means(log: Log, claim: Claim) -> bool:
    """Whether a claim is about all that its Python name was bound to in this run."""
    try:
        return claim_about(log, claim.python_name) == claim
    except UsageError:
        return False


def _numeric(log: Log, claim: Claim) -> Proof:
    """The numeric claim; it holds for a name where it holds for each tensor that the name was bound to."""
    numeric = Claim(WEIGHT_NORMALISED, claim.python_name, claim.graphs, claim.tensors)
    why = log.header.unknown("proofs")
    if why is not None:
        return Proof(numeric, (_open(why),), Judgement("unknown", True))
    found = [log.numerics_of.get(place) for place in zip(claim.graphs, claim.tensors, strict=True)]
    if any(m is None for m in found):
        return Proof(numeric, (_open("not measured in this run"),), Judgement("unknown", True))
    reasons = [m.not_recognised_because for m in found if m is not None and m.not_recognised_because is not None]
    if reasons:
        return Proof(numeric, (_open(f"not recognised: {reasons[0]}"),), Judgement("unknown", True))
    groups = [m.steps for m in found if m is not None]
    steps = tuple(_worst(same) for same in zip(*groups, strict=True))
    holds = [s.holds for s in steps]
    return Proof(numeric, steps, Judgement(verdict_of(holds, holds), True))


def _open(because: str) -> ProofStep:
    return ProofStep("recognised", "its structure is g * v / ||v||", None, because)


def _worst(same: tuple[NumericStep, ...]) -> ProofStep:
    """One check over all tensors of a claim: the one that is furthest from holding."""
    worst = max(same, key=lambda s: (s.holds is False, s.holds is None, s.error or 0.0))
    if worst.error is None:
        evidence = f"not measured: {worst.unknown_because}"
    elif worst.error == float("inf"):
        evidence = "the result is NaN or infinite"
    else:
        evidence = f"largest relative error {worst.error:.1e}, rounding allows {worst.tolerance:.1e}"
    return ProofStep(worst.id, worst.statement, worst.holds, evidence)
