"""Jobs: functions that a child of the zygote runs. What they take and return must be picklable."""

from __future__ import annotations

import sys
from typing import Any


def run_cli(argv: list[str]) -> None:
    """The command line, in this process: its exit status is the child's."""
    from scopewatch.cli import main

    sys.argv = ["scopewatch", *argv]
    main(argv)


def record_log(program: str, **wishes: Any) -> Any:
    """The `Log` of one run of a program."""
    from scopewatch.record.session import Wishes, record

    return record(program, Wishes(**wishes))


def verdict_on(program: str, name: str) -> dict[str, Any]:
    """Record a program, prove the claim about a name, and have the certificate checked."""
    from scopewatch.proof.checker import check
    from scopewatch.proof.prover import claim_about, prove
    from scopewatch.record.session import Wishes, record

    log = record(program, Wishes(prove=(name,)))
    certificate = prove(log, claim_about(log, name))
    judgement = check(certificate, log.graph_by_id)
    step = certificate.step("function_of")
    return {
        "error": log.error,
        "verdict": judgement.verdict,
        "accepted": judgement.accepted,
        "objections": judgement.objections,
        "tensors": certificate.claim.tensors,
        "function_of": sorted({v for _, names in (step.facts if step else ()) for v in names}),
        "steps": [(s.id, s.holds, s.evidence) for s in certificate.steps],
        "notes": log.header.notes,
    }


def fail_with(code: Any) -> None:
    """For the tests of the zygote itself: print, and leave with a status."""
    print("to stdout")
    print("to stderr", file=sys.stderr)
    raise SystemExit(code)


def sleep(seconds: float) -> None:
    """For the tests of the zygote itself."""
    import time

    time.sleep(seconds)


def surroundings() -> dict[str, Any]:
    """For the tests of the zygote itself: what a child starts with."""
    import os

    import tensorflow as tf
    from tensorflow.python.framework import ops

    return {
        "pid": os.getpid(),
        "cwd": os.getcwd(),
        "env": os.environ.get("SCOPEWATCH_TEST"),
        "uid": ops.uid(),
        "eager": tf.compat.v1.executing_eagerly_outside_functions(),
    }
