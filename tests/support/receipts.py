"""What the product says that tensors receive, held against `tf.gradients` in another process."""

from __future__ import annotations

from pathlib import Path

from scopewatch.model.log import Log, Receipt
from tests.support.gradient_programs import Program
from tests.support.gradient_truth import Row
from tests.support.zygote import Job, JobFailed, Zygote


def differences(zygote: Zygote, program: Program, file: Path) -> tuple[int, list[str]]:
    """How many receipts were compared, and each one that differs."""
    log: Log = zygote.call("record_log", str(file), until="end", loss=program.loss)
    if log.error is not None:
        return 0, [f"the program fails: {log.error.type}: {log.error.message}"]
    asked = [(int(m.graph[1:]), m.loss, [r.tensor for r in m.receipts]) for m in log.gradients]
    done = zygote.run(Job("tests.support.gradient_truth:observe", (str(file), asked), timeout=300))
    if done.result is None:
        raise JobFailed(done.stderr)
    compared, found = 0, []
    for measure, rows in zip(log.gradients, done.result, strict=True):
        for receipt in measure.receipts:
            row = rows.get(receipt.tensor)
            if row is not None:
                compared += 1
                if not _agree(receipt, row):
                    found.append(f"{measure.graph}, {measure.loss} ({measure.how}): {receipt}, and is {row}")
    return compared, found


_ALMOST_NOTHING = 1e-6
"""Terms that cancel each other come to this or to nothing, by the order in which they are added."""


def _agree(receipt: Receipt, row: Row) -> bool:
    if receipt.receives != row.receives:
        norms = [norm for norm in (receipt.norm, row.norm) if norm is not None]
        can_cancel = {receipt.receives, row.receives} == {"zero", "dense"} and receipt.reason == "flows"
        return can_cancel and len(norms) == 2 and max(norms) < _ALMOST_NOTHING
    if row.receives == "none":
        return not row.reasons or receipt.reason in row.reasons
    assert row.norm is not None
    if receipt.reason != "flows" or receipt.norm is None:
        return False
    return abs(receipt.norm - row.norm) <= 1e-3 * row.norm + 1e-5
