"""Proofs: two lines on the first screen, every obligation with its evidence in full."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from scopewatch.model.alike import READABLE
from scopewatch.model.claims import MEASURED_STEPS, NEVER_A_VARIABLE, Certificate, Judgement, Proof, ProofStep
from scopewatch.model.consequences import why_it_matters
from scopewatch.views.alike import alike_in
from scopewatch.views.screen import Screen
from scopewatch.views.tables import Indented
from scopewatch.views.text import BAD, GOOD, HEADING, QUIET, VERDICT_STYLES, WARN, padded, plain

_MARKS = {True: ("+ holds", GOOD), False: ("X FAILS", BAD), None: ("? open ", WARN)}


def statement(proof: Proof) -> str:
    """The claim in words: `"w" is never a variable`."""
    name = plain(proof.claim.python_name)
    return f'"{name} is never a variable"' if proof.claim.kind == NEVER_A_VARIABLE else f'"{name} is weight-normalised"'


def proof_summary(screen: Screen) -> list[RenderableType]:
    """A line for each claim; for a refuted one also the step that fails."""
    lines: list[RenderableType] = []
    width = max((cell_len(statement(p)) for p in screen.proofs), default=0)
    for index, proof in enumerate(screen.proofs):
        head = ("PROOF " if index == 0 else "      ", HEADING)
        said = Text.assemble(head, padded(statement(proof), width) + "  ", _verdict(proof))
        counts = _counts(proof)
        if said.cell_len + len(counts) > screen.width:
            counts = counts.partition(";")[0]
        line = Text.assemble(said, counts, no_wrap=True, overflow="ellipsis")
        lines.append(line)
        if proof.claim.kind != NEVER_A_VARIABLE and proof.verdict == "unknown":
            lines.append(_indented(proof.steps[0].evidence, QUIET, by=8))
        if proof.claim.kind == NEVER_A_VARIABLE and proof.judgement.accepted:
            lines += [_indented(f"because not all was seen: {o}", QUIET, by=8) for o in proof.judgement.objections[:1]]
        if proof.verdict == "refuted" or not proof.judgement.accepted:
            failing = next((s for s in proof.steps if s.holds is False), None)
            if failing is not None:
                lines.append(_indented(f"X {failing.statement}: {alike_in(failing.evidence)}", BAD))
    return lines


def _verdict(proof: Proof) -> tuple[str, str]:
    return f"{proof.verdict.upper():<8}", VERDICT_STYLES[proof.verdict]


def _counts(proof: Proof) -> str:
    if proof.claim.kind == NEVER_A_VARIABLE:
        structural = [s for s in proof.steps if s.id not in MEASURED_STEPS]
        measured = [s for s in proof.steps if s.id in MEASURED_STEPS]
        checked = "checked" if proof.judgement.accepted else "REJECTED by the checker"
        return f"  structural {_of(structural)}, {checked}; measured {_of(measured)}"
    if proof.verdict == "unknown":
        return ""
    return f"  numeric {_of(list(proof.steps))}"


def _of(steps: Sequence[ProofStep]) -> str:
    return f"{sum(1 for s in steps if s.holds is True)}/{len(steps)}"


def proof_view(screen: Screen) -> list[RenderableType]:
    """Every claim with every step."""
    if not screen.proofs:
        return [Text("PROOF  nothing is claimed. Claim something with: --prove NAME")]
    lines: list[RenderableType] = []
    for index, proof in enumerate(screen.proofs):
        lines += [*([Text()] if index else []), *one_proof(screen, proof)]
    return lines


def one_proof(screen: Screen, proof: Proof) -> list[RenderableType]:
    """A claim, its steps with their evidence, and the verdict."""
    tensors = ", ".join(plain(t) for t in proof.claim.tensors[:4])
    more = f" and {len(proof.claim.tensors) - 4:,} more" if len(proof.claim.tensors) > 4 else ""
    if len(proof.claim.tensors) > READABLE:
        tensors, more = alike_in(", ".join(map(plain, proof.claim.tensors))), ""
    lines: list[RenderableType] = [
        Text.assemble(("PROOF ", HEADING), (statement(proof), HEADING), overflow="fold"),
        _indented(f"{plain(proof.claim.python_name)} is {tensors}{more}", QUIET),
    ]
    for number, step in enumerate(proof.steps, start=1):
        mark, style = _MARKS[step.holds]
        lines.append(Text.assemble(f"  {number}. ", (mark, style), f"  {plain(step.statement)}", overflow="fold"))
        lines.append(_indented(alike_in(step.evidence), QUIET, by=14))
    by = "unknown, because not all was seen" if proof.judgement.accepted else "the checker objects"
    lines += [_indented(f"{by}: {o}", BAD) for o in proof.judgement.objections[:5]]
    lines.append(Text.assemble("  ", _verdict(proof), _counts(proof)))
    if proof.verdict == "refuted":
        lines += [_indented(f"why it matters: {plain(w)}", "") for w in why_it_matters(screen.log, proof)]
    return lines


def _indented(content: str, style: str, by: int = 6) -> RenderableType:
    return Indented(Text(plain(content), style=style), by)


def judgement_lines(certificate: Certificate, judgement: Judgement) -> list[RenderableType]:
    """What the checker says of a saved certificate."""
    name = plain(certificate.claim.python_name)
    if not judgement.accepted:
        lines: list[RenderableType] = [
            Text.assemble(("REJECTED", BAD), f'  the certificate for "{name} is never a variable"')
        ]
        return lines + [_indented(f"the checker objects: {o}", BAD, by=2) for o in judgement.objections[:8]]
    verdict = judgement.verdict
    return [
        Text.assemble(
            ("accepted", GOOD), f'  "{name} is never a variable": ', (verdict.upper(), VERDICT_STYLES[verdict])
        )
    ]
