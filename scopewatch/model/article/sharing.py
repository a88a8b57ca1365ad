"""The sentences on scopes and sharing: what makes a second call share, and who asks for what, when and where."""

from __future__ import annotations

from scopewatch.model.article.seen import Seen, at, gathered, named
from scopewatch.model.article.weights import normalised, shortened
from scopewatch.model.events import Requested
from scopewatch.model.log import Log
from scopewatch.model.requests import RequestRow, build_requests
from scopewatch.model.scopes import Entry, Scope, build_scopes


def auto_reuse_shares(log: Log) -> list[Seen]:
    """AUTO_REUSE is what lets a second call share the variables."""
    short, seen = shortened(log), []
    computed: dict[tuple[str, str], list[str]] = {}
    for one in normalised(log, everywhere=True):
        computed.setdefault((one.use.graph, one.v.name), []).append(one.shown)
    for (graph, v), weights in computed.items():
        if len(weights) < 2:
            continue
        found = [r for r in log.of(Requested) if r.graph == graph and v in r.stored and r.outcome == "reused"]
        said = f"{len(weights)} times w is computed from the one {short[v]}; "
        if not found:
            flags = named([_flag(r) for r in log.of(Requested) if r.graph == graph and v in r.stored])
            said += f"it was asked for once ({flags}), never reused: Python hands it on"
            seen.append(Seen(False, said))
        else:
            auto = [r for r in found if r.reuse == "auto"]
            flag = _flag((auto or found)[0])
            set_at = log.caller((auto or found)[0].flag_path)
            said += f"it was asked for again and found, under {flag}" + (f" set at {at(set_at)}" if set_at else "")
            seen.append(Seen(bool(auto), said))
    return gathered(seen)


def _flag(request: Requested) -> str:
    return {"auto": "reuse=AUTO_REUSE", "true": "reuse=True", "false": "reuse=False"}[request.reuse]


def made_in_constructor(log: Log) -> list[Seen]:
    """The variables are made in the layer's constructor."""
    seen = []
    made = [r for r in build_requests(log) if r.event.outcome == "created" and r.event.asked_by == "program"]
    for where, holds in (("__init__", True), ("build", False)):
        rows = [r for r in made if where in [f.function for f in r.via]]
        if rows:
            names = named([shortened(log).get(r.event.name, r.event.name) for r in rows])
            said = f"{names} made in {where}, from {_lines(rows)}"
            if where == "build":
                said += f", when the layer is first called at {at(rows[0].via[0])}"
            seen.append(Seen(holds, said))
    return seen


def _lines(rows: list[RequestRow]) -> str:
    return at(rows[0].caller) + ("" if len(rows) == 1 else f" to {rows[-1].caller.line if rows[-1].caller else '?'}")


def trainables_listed(log: Log) -> list[Seen]:
    """`trainable_variables()` lists `v`, `g` and the bias."""
    short = shortened(log)
    trainable = {v.name for g in log.graphs for v in g.variables if v.trainable}
    asked = [n for r in log.of(Requested) if r.asked_by == "program" and r.outcome == "created" for n in r.stored]
    missing = [short.get(n, n) for n in asked if n not in trainable]
    if not asked or not normalised(log):
        return []
    listed = named([short.get(n, n) for n in asked if n in trainable])
    if missing:
        seen = [Seen(False, f"tf.trainable_variables() does not list {named(missing)}")]
    else:
        seen = [Seen(True, f"tf.trainable_variables() lists {listed}")]
    own = []
    for layer in log.layers:
        ours = [v for v in layer.scope_variables if v in trainable]
        known = [v for v in ours if v in layer.trainable]
        if ours:
            said = f"the layer object's trainable_variables lists {len(known)} of {len(ours)}"
            own.append(Seen(len(known) == len(ours), said))
    return [*seen, *gathered(own)]


def asked_again_on_reentry(log: Log) -> list[Seen]:
    """Where a scope is entered again, its variables are asked for again."""
    seen = []
    for scope in build_scopes(log):
        entries = [e for e in scope.entries if not e.by_library]
        again = entries[1:] if entries and entries[0].requests else []
        for entry in again:
            said = f"{scope.label} entered again at {at(entry.at)}: "
            requests = f"{entry.requests} request{'s'[: entry.requests != 1]}"
            seen.append(Seen(entry.requests > 0, said + (requests if entry.requests else "no request")))
    return gathered(seen)


def build_and_call_share_scope(log: Log) -> list[Seen]:
    """`build` and `call` work in the same scope."""
    inside: dict[str, list[tuple[Scope, Entry]]] = {"build": [], "call": []}
    for scope in build_scopes(log):
        for entry in scope.entries:
            if not entry.by_library and entry.at is not None and entry.at.function in inside:
                inside[entry.at.function].append((scope, entry))
    seen = []
    for _, called in inside["call"]:
        pairs = [(s, e) for s, e in inside["build"]]
        if not pairs:
            break
        other = next(s for s, e in inside["call"] if e is called)
        scope, built = next(((s, e) for s, e in pairs if s is other), pairs[0])
        same = scope is other
        said = f"variable scope {scope.label}" + ("" if same else f" in build, {other.label} in call")
        seen.append(Seen(same, said + (" in both" if same else "")))
        if built.name_scope and called.name_scope:
            ops = [_last(built.name_scope), _last(called.name_scope)]
            told = f"name scope {ops[0]} in build, {ops[1]} in call"
            if built.name_scope == called.name_scope:
                told = f"name scope {ops[0]} in both"
            seen.append(Seen(built.name_scope == called.name_scope, told))
    return gathered(list(dict.fromkeys(seen)))


def _last(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2]
