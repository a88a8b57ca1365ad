"""What ops of each type do with a value: the definition of value-preserving, in one place."""

from __future__ import annotations

FIRST_INPUT_HANDED_ON = frozenset(
    {
        "CheckNumerics",
        "CheckNumericsV2",
        "Copy",
        "CopyHost",
        "DebugGradientIdentity",
        "DebugGradientRefIdentity",
        "DebugIdentity",
        "DebugIdentityV2",
        "DeepCopy",
        "DestroyTemporaryVariable",
        "EnsureShape",
        "Enter",
        "Exit",
        "GuaranteeConst",
        "Identity",
        "LoopCond",
        "NextIteration",
        "PlaceholderWithDefault",
        "PreventGradient",
        "Print",
        "ReadVariableOp",
        "RefEnter",
        "RefExit",
        "RefIdentity",
        "RefNextIteration",
        "RefSwitch",
        "Snapshot",
        "StopGradient",
        "Switch",
        "XlaSharding",
        "_SwitchN",
    }
)
"""Ops that hand on their first input as it is, whatever their other inputs are."""

ALL_INPUTS_HANDED_ON = frozenset({"Merge", "RefMerge"})
"""Ops that hand on one of their inputs, which one is known only when they run."""

SWITCHES = frozenset({"Switch", "RefSwitch", "_SwitchN"})
"""Ops that hand their first input on to one of their outputs. Around a loop, to which one is part of the result."""

SHAPE_ONLY = frozenset(
    {
        "IsVariableInitialized",
        "OnesLike",
        "Rank",
        "Shape",
        "ShapeN",
        "Size",
        "VarIsInitializedOp",
        "VariableShape",
        "ZerosLike",
    }
)
"""Ops whose result does not depend on the value of their input."""

BRANCHES = {"If": 1, "StatelessIf": 1, "Case": 1, "StatelessCase": 1}
"""Ops that run one of their functions: how many inputs come before the arguments."""

CALLS = {
    "PartitionedCall": 0,
    "StatefulPartitionedCall": 0,
    "SymbolicGradient": 0,
    "RemoteCall": 1,
    "TPUPartitionedCall": 0,
}
"""Ops that call one function: how many inputs come before the arguments."""

LOOPS = frozenset({"While", "StatelessWhile"})
"""Ops that call a condition and a body until the condition says no."""
