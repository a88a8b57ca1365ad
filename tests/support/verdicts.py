"""What the product says of a random program, held against its known truth; and its certificates, tampered with."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from scopewatch.model.claims import LOGGED_STEPS, Certificate, ProofStep
from scopewatch.model.log import Log
from scopewatch.model.names import claim_about
from scopewatch.proof.checker import check
from scopewatch.proof.proofs import check_saved
from scopewatch.proof.prover import prove
from tests.support.proof_programs import Program


def disagreements(program: Program, log: Log) -> list[str]:
    """Every name of which the product does not say what is true."""
    if log.error is not None:
        return [f"the program fails: {log.error.type}: {log.error.message}"]
    found = []
    for name, truth in program.truths.items():
        certificate = prove(log, claim_about(log, name))
        judgement = check(certificate, log.graph_by_id)
        behind, sources = certificate.step("no_variable_behind"), certificate.step("function_of")
        assert behind is not None
        assert sources is not None
        variables = {v for _, names, _ in behind.facts for v in names}
        depends = {v for _, names in sources.facts for v in names}
        said = f"{name}, {', '.join(certificate.claim.tensors)}: "
        if not judgement.accepted:
            found.append(f"{said}not accepted, {judgement.objections}")
        elif judgement.verdict != truth.verdict:
            found.append(f"{said}{judgement.verdict}, and is {truth.verdict} ({behind.evidence})")
        elif truth.lone:
            continue
        elif variables != truth.variables:
            found.append(f"{said}the variables {sorted(variables)}, and is {sorted(truth.variables)}")
        elif not depends <= truth.depends | truth.may or not (truth.vague or depends >= truth.depends):
            found.append(f"{said}depends on {sorted(depends)}, and does on {sorted(truth.depends)}")
    return found


def accepted_forgeries(program: Program, log: Log, seed: int, share: float = 1.0) -> tuple[int, list[str]]:
    """How many forgeries of this run's certificates were tried, and those that were accepted.

    Args:
        program: what was recorded.
        log: its run.
        seed: which of the names, and which of the forgeries, are tried.
        share: the part of all forgeries that is tried.
    """
    rng = random.Random(seed)
    certificates = [prove(log, claim_about(log, name)) for name in program.truths]
    tried, accepted = 0, []
    for certificate in certificates:
        for what, forged in forgeries(certificate, rng.choice(certificates)):
            if rng.random() >= share:
                continue
            tried += 1
            if check_saved(forged, log).accepted:
                accepted.append(f"{certificate.claim.python_name}: {what}")
            elif _is_for_the_graph_to_see(certificate, forged) and check(forged, log.graph_by_id).accepted:
                accepted.append(f"{certificate.claim.python_name}: {what}, by the graph alone")
    return tried, accepted


def _is_for_the_graph_to_see(certificate: Certificate, forged: Certificate) -> bool:
    """Whether it was a step that was forged which the graph alone decides, and not in its words alone."""
    if [s.id for s in forged.steps] != [s.id for s in certificate.steps]:
        return True
    pairs = zip(certificate.steps, forged.steps, strict=True)
    return any(a.id not in LOGGED_STEPS and replace(b, evidence=a.evidence) != a for a, b in pairs)


def forgeries(certificate: Certificate, other: Certificate) -> Iterator[tuple[str, Certificate]]:
    """A certificate with one thing changed, in every way; and with a step of another certificate."""
    steps = certificate.steps
    for i, step in enumerate(steps):
        yield f"{step.id} dropped", replace(certificate, steps=steps[:i] + steps[i + 1 :])
        yield f"{step.id} twice", replace(certificate, steps=(*steps[: i + 1], *steps[i:]))
        if i:
            swapped = (*steps[: i - 1], steps[i], steps[i - 1], *steps[i + 1 :])
            yield f"{step.id} before {steps[i - 1].id}", replace(certificate, steps=swapped)
        for what, forged in _forged_steps(step):
            yield f"{step.id} {what}", replace(certificate, steps=(*steps[:i], forged, *steps[i + 1 :]))
        if other.steps[i] != step:
            taken = (*steps[:i], other.steps[i], *steps[i + 1 :])
            yield f"{step.id} of {other.claim.python_name}", replace(certificate, steps=taken)
    if other.claim != certificate.claim:
        yield f"the claim of {other.claim.python_name}", replace(certificate, claim=other.claim)
        foreign = replace(certificate.claim, python_name=other.claim.python_name)
        yield f"the name {foreign.python_name}", replace(certificate, claim=foreign)
    if other.graphs != certificate.graphs:
        yield f"the graphs of {other.claim.python_name}", replace(certificate, graphs=other.graphs)
        if len(other.graphs) == len(certificate.graphs) == 1:
            moved = replace(certificate.claim, graphs=other.claim.graphs[:1] * len(certificate.claim.graphs))
            whole = replace(certificate, claim=moved, graphs=other.graphs)
            yield f"moved to the graph of {other.claim.python_name}", whole


def _forged_steps(step: ProofStep) -> Iterator[tuple[str, ProofStep]]:
    for holds in (True, False, None, 1, 0):
        if holds is not step.holds:
            yield f"said to be {holds}", replace(step, holds=holds)  # type: ignore[arg-type]
    yield "with another statement", replace(step, statement=f"{step.statement} ")
    yield "with other evidence", replace(step, evidence=f"{step.evidence}.")
    for facts in _altered(step.facts):
        yield f"with the facts {facts}", replace(step, facts=facts)


def _altered(value: Any) -> Iterator[Any]:
    """The value with one leaf changed, one element dropped, one repeated or one added."""
    if not isinstance(value, tuple):
        yield from {bool: (not value, None), str: (f"{value}x", "", None)}.get(type(value), ("v",))
        return
    yield (*value, "v")
    for i, element in enumerate(value):
        yield value[:i] + value[i + 1 :]
        yield value[: i + 1] + value[i:]
        for inner in _altered(element):
            yield (*value[:i], inner, *value[i + 1 :])
