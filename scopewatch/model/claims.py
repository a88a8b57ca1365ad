"""Claims about a Python name, the certificate that argues for one, and the verdict on it."""

from __future__ import annotations

import hashlib
import json
import sys
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

from scopewatch.errors import LogFileError, UsageError
from scopewatch.model.files import read_whole
from scopewatch.model.graph import GraphSnapshot, VariableRecord
from scopewatch.model.json_records import from_plain
from scopewatch.model.kept import once_for_each
from scopewatch.model.pieces import AT_ONCE, in_pieces

CERTIFICATE_SCHEMA = "scopewatch.certificate/1"
NEVER_A_VARIABLE = "never_a_variable"
WEIGHT_NORMALISED = "weight_normalised"
Verdict = Literal["proved", "refuted", "unknown"]

STRUCTURAL_STEPS = (
    "no_variable_op",
    "no_variable_behind",
    "no_known_variable",
    "not_created",
    "not_assigned",
    "function_of",
)
"""The obligations that the graph alone decides; the checker establishes each of them again."""
MEASURED_STEPS = ("not_in_checkpoint", "computed_again")
"""The obligations that take a run; not measured, they hold `None` and do not decide."""
LOGGED_STEPS = ("not_created", *MEASURED_STEPS)
"""The obligations whose facts come from the log, not from the graph."""
STATEMENTS = {
    "no_variable_op": "its op is no variable op",
    "no_variable_behind": "no chain of value-preserving ops leads from it to a variable",
    "no_known_variable": "no variable, in a collection or outside all, is it",
    "not_created": "no request and no direct creation made it",
    "not_assigned": "no assign writes it",
    "function_of": "its value is a function of exactly these variables",
    "not_in_checkpoint": "a checkpoint saved to disk has no entry for it",
    "computed_again": "in a second run its op ran again",
}
"""What each obligation states, word for word: a certificate may not state anything else."""


@dataclass(frozen=True)
class Claim:
    """A claim about every tensor that a Python name was bound to, in one graph each."""

    kind: str
    python_name: str
    graphs: tuple[str, ...]
    tensors: tuple[str, ...]


@dataclass(frozen=True)
class ProofStep:
    """One obligation: what it states, whether it holds (`None`: not measured), and the evidence.

    `facts` is what a checker compares: plain data that follows from the graph or the measurement.
    """

    id: str
    statement: str
    holds: bool | None
    evidence: str
    facts: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Certificate:
    """The argument for one claim: every obligation with its evidence, and which graphs it is about."""

    claim: Claim
    graphs: tuple[str, ...]
    steps: tuple[ProofStep, ...]

    def step(self, step_id: str) -> ProofStep | None:
        """The step of this id."""
        return next((s for s in self.steps if s.id == step_id), None)


@dataclass(frozen=True)
class Judgement:
    """What the independent checker says: `accepted` only where it agrees with every step.

    `objections` say where it does not; `verdict` is its own, never the certificate's word.
    """

    verdict: Verdict
    accepted: bool
    objections: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proof:
    """A claim with its steps and the verdict that may be printed."""

    claim: Claim
    steps: tuple[ProofStep, ...]
    judgement: Judgement

    @property
    def verdict(self) -> Verdict:
        """proved, refuted or unknown; never proved where the certificate was not accepted."""
        return self.judgement.verdict if self.judgement.accepted else "unknown"


def verdict_of(holds: list[bool | None], decisive: list[bool | None]) -> Verdict:
    """Refuted by any step that fails; proved if the decisive ones all hold; else unknown."""
    if any(h is False for h in holds):
        return "refuted"
    return "proved" if decisive and all(h is True for h in decisive) else "unknown"


_encoder = json.JSONEncoder(separators=(",", ":"), sort_keys=True)


@once_for_each
def fingerprint(graph: GraphSnapshot) -> str:
    """A digest of a graph's ops, data edges, dtypes, function bodies and variables.

    The values of constants are left out: of those that matter, the axes of concats, the checker asks the graph itself.
    With a million ops it takes seconds, and the prover and the checker both ask.
    """
    digest = hashlib.sha256()
    for body in graph.bodies():
        for texts in (body.names, body.types):
            lengths, joined = array("q"), []
            for at in range(0, len(texts), AT_ONCE):  # Each text is gone for to memory once.
                some = texts[at : at + AT_ONCE]
                lengths.extend(map(len, some))
                joined.append("".join(some).encode(errors="surrogatepass"))
            digest.update(_packed(lengths))
            digest.update(b"".join(joined))
        for numbers in (body.starts, body.edge_ops, body.edge_outputs, body.signature):
            digest.update(_packed(numbers))
        digest.update((_encoder.encode([body.name, list(body.signatures)])[:-1] + ",").encode())
        distinct = {id(kept): kept for kept in body.attrs.values()}
        telling = {key: _telling(kept) for key, kept in distinct.items()}
        told = ((op, telling[id(body.attrs[op])]) for op in sorted(body.attrs))
        digest.update(f"[{','.join(f'[{op},{text}]' for op, text in told if text)}]".encode())
        digest.update(("," + _encoder.encode(body.results) + "]").encode())
    columns = attrgetter(*[f.name for f in fields(VariableRecord)])
    for piece in in_pieces(map(columns, graph.variables), _encoder):
        digest.update(piece)
    return digest.hexdigest()


def _telling(attrs: Mapping[str, Any]) -> str:
    """The attributes of an op, without the value of a constant; nothing, where there are no others."""
    kept = {k: v for k, v in attrs.items() if k != "value"}
    return _encoder.encode(kept) if kept else ""


def _packed(numbers: Sequence[int]) -> bytes:
    """How many numbers, and each in 8 bytes, the same on every machine: ten times as fast as text."""
    packed = array("q", [len(numbers)])
    packed.extend(numbers)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def certificate_to_json(certificate: Certificate) -> dict[str, Any]:
    """A certificate as plain data."""
    return {"schema": CERTIFICATE_SCHEMA, **asdict(certificate)}


def load_certificate(file: Path) -> Certificate:
    """Read a certificate that was saved as JSON.

    Raises:
        UsageError: there is no such file.
        LogFileError: it is not a certificate, is damaged, or has another schema version.
    """
    try:
        data = json.loads(read_whole(file))
    except FileNotFoundError:
        raise UsageError(
            f"there is no file {file}. Save one with: scopewatch prove TARGET NAME --certificate {file}"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise LogFileError(f"{file} is not a certificate: {error}") from None
    if not isinstance(data, dict) or data.get("schema") != CERTIFICATE_SCHEMA:
        raise LogFileError(f"{file} is not a certificate of schema {CERTIFICATE_SCHEMA}.")
    try:
        return from_plain(Certificate, data)
    except (ValueError, RecursionError) as error:
        raise LogFileError(f"{file} is a damaged certificate: {type(error).__name__}: {error}") from None
