"""The misconceptions behind wrong predictions: a sentence, and the word under which `explain` has more."""

from __future__ import annotations

from scopewatch.model.events import Outcome, Requested
from scopewatch.model.gradients import GradientRow

Trick = tuple[str, str]
"""The sentence, and what to type after `scopewatch explain`."""

_NAMES: dict[str, Trick] = {
    "leaf": (
        "get_variable puts the names of all open variable scopes in front of the name that it is given.",
        "variable-scope",
    ),
    "outer": ("All open variable scopes count, not the innermost alone.", "variable-scope"),
    "unique": (
        "get_variable never makes a name unique by adding _1: it finds what is there, or is refused. tf.Variable does.",
        "tf.Variable",
    ),
    "name scope": (
        "The name scope names ops. Variables are named by the variable scope, which is the same at every entry.",
        "name-scope",
    ),
}


def because_of_name(mistake: str) -> Trick:
    """Why somebody expects another full name."""
    return _NAMES[mistake]


def because_of_outcome(event: Requested, given: Outcome, same_ending: str | None, known: bool) -> Trick:
    """Why somebody expects `given` of a request that came out otherwise.

    Args:
        event: the request, with the flag in force.
        given: what was expected.
        same_ending: another name asked for before that ends in the same word.
        known: whether this very name had been asked for before.
    """
    if event.asked_by == "optimizer" and event.outcome == "refused":
        return "An optimizer asks for slots of its own; under reuse=True they cannot be created.", "slot-under-reuse"
    if event.asked_by == "average" and event.outcome == "refused":
        return "An average asks for variables of its own; under reuse=True none can be made.", "average-under-reuse"
    if event.outcome == "created":
        return _not_created(event, given, same_ending)
    if event.outcome == "reused":
        return _not_reused(event, given)
    return _not_refused(event, given, known)


def _not_created(event: Requested, given: Outcome, same_ending: str | None) -> Trick:
    if given == "refused":
        if event.reuse == "auto":
            return "AUTO_REUSE creates what is not there yet; it refuses nothing for its name.", "AUTO_REUSE"
        return "reuse=False refuses only a name that is there already; this one was new.", "reuse"
    if same_ending is not None:
        said = f"Variables are found by their full names: {event.name} and {same_ending} end alike, and are two."
        return said, "variable-scope"
    if event.reuse == "auto":
        return "AUTO_REUSE reuses only what is there; the first request of a name creates.", "AUTO_REUSE"
    return "A first request has nothing to reuse: it creates.", "reuse"


def _not_reused(event: Requested, given: Outcome) -> Trick:
    concept = "AUTO_REUSE" if event.reuse == "auto" else "reuse"
    if given == "created":
        return "Under a flag that reuses, the same full name is the same variable; no copy is made.", concept
    return "Only reuse=False (or nothing said) refuses a name that is there already.", concept


def _not_refused(event: Requested, given: Outcome, known: bool) -> Trick:
    error = event.error or ""
    if "does not exist" in error:
        return "reuse=True only finds what get_variable made before under this full name; it never creates.", "reuse"
    if "Trying to share variable" in error:
        what = "dtype" if "dtype" in error else "shape"
        return f"One variable has one {what}: a request that finds it must ask for the same.", f"{what}-mismatch"
    if known or "already exists" in error:
        if not event.scope:
            said = "tf.name_scope does not name variables: both requests ask for the same full name."
            return said, "name-scope-is-not-variable-scope"
        if given == "created":
            return "Asking for a name twice makes no second variable: it is refused unless sharing is allowed.", "reuse"
        return "Sharing is never assumed: it must be allowed with reuse=True or AUTO_REUSE.", "reuse"
    return "TensorFlow checks a request before anything is made; what it said is shown above.", "get_variable"


def same_object(shared: bool, requests: int) -> Trick:
    """Why somebody mistakes whether a second call shares."""
    if shared and not requests:
        said = "Variables are also shared through Python: an object that keeps them asks only once, whatever the flag."
        return said, "reuse"
    if shared:
        return "The second call asks for the same full names under a flag that reuses.", "reuse"
    return "The second call asks for other full names, so it gets variables of its own.", "variable-scope"


def because_of_gradient(row: GradientRow) -> Trick:
    """Why somebody mistakes whether a variable or tensor receives a gradient."""
    if row.role == "tensor":
        said = "A gradient reaches every tensor between the variables and the loss, not only the variables."
        return said, "receipt"
    if row.receipt.receives != "none":
        return (
            "Every variable that the loss depends on receives a gradient, scales and biases as well as weights.",
            "trainable",
        )
    if row.receipt.reason == "stopped":
        return "stop_gradient hands the value on, and no gradient back.", "stop_gradient"
    return (
        "To be trainable is not enough: without a differentiable path to the loss the gradient is None.",
        "None-gradient",
    )


def because_of_update(shown: str, is_tensor: bool) -> Trick:
    """Why somebody expects an optimizer to update something that only receives a gradient."""
    if is_tensor:
        return (
            f"An optimizer updates variables. {shown} is a tensor: a gradient passes through it to the variables that "
            "it is computed from, and the next run computes it again.",
            "weight-normalisation",
        )
    return "An optimizer updates what it was given (var_list), not all that receives a gradient.", "trainable"
