"""What ops of each type do with a value: the definition of value-preserving, in one place."""

from __future__ import annotations

FIRST_INPUT_HANDED_ON = frozenset(
    {
        "Identity", "RefIdentity", "ReadVariableOp", "Enter", "RefEnter", "Exit", "RefExit", "Switch", "RefSwitch",
        "NextIteration", "RefNextIteration", "StopGradient", "PreventGradient", "CheckNumerics", "CheckNumericsV2",
        "EnsureShape", "Snapshot", "PlaceholderWithDefault", "LoopCond", "GuaranteeConst", "DeepCopy", "Copy", "CopyHost",
        "Print", "DebugIdentity", "DebugIdentityV2", "DebugGradientIdentity", "DebugGradientRefIdentity",
        "DestroyTemporaryVariable", "XlaSharding", "_SwitchN",
    }
)  # fmt: skip
"""Ops that hand on their first input as it is, whatever their other inputs are."""
ALL_INPUTS_HANDED_ON = frozenset({"Merge", "RefMerge"})
"""Ops that hand on one of their inputs, which one is known only when they run."""
SHAPE_ONLY = frozenset({"Shape", "ShapeN", "Size", "Rank", "VariableShape", "ZerosLike", "OnesLike", "VarIsInitializedOp", "IsVariableInitialized"})
"""Ops whose result does not depend on the value of their input."""

BRANCHES = {"If": 1, "StatelessIf": 1, "Case": 1, "StatelessCase": 1}
"""Ops that run one of their functions: how many inputs come before the arguments."""
CALLS = {"PartitionedCall": 0, "StatefulPartitionedCall": 0, "SymbolicGradient": 0, "RemoteCall": 1, "TPUPartitionedCall": 0}
"""Ops that call one function: how many inputs come before the arguments."""
LOOPS = frozenset({"While", "StatelessWhile"})
"""Ops that call a condition and a body until the condition says no."""
