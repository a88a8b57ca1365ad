"""What must hold between the rules, TensorFlow's public side and what watching has told: differences in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scopewatch.model import events as ev
from tests.fuzz.rules import Rules
from tests.fuzz.running import Run, bare
from tests.fuzz.state import Asked, Entered, Left, MadeDirectly
from tests.fuzz.syntax import Program


def differences(program: Program, plain: Run, probed: Run, watched: Run) -> list[str]:
    """Everything in which the three sides disagree; the oracle's own faults are told first."""
    rules = Rules(program)
    found = list(_oracle(rules, plain, probed))
    if not found:
        found = [*_unchanged(plain, watched), *_seen(rules, plain, probed, watched)]
    return found


def _same(what: str, first: Any, second: Any) -> Iterator[str]:
    if first != second:
        if isinstance(first, list) and isinstance(second, list):
            at = next((n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), None)
            at = min(len(first), len(second)) if at is None else at
            yield f"{what}, at {at}: {first[at : at + 1]} / {second[at : at + 1]}"
        else:
            yield f"{what}: {first} / {second}"


# ------------------------------------------------------------- the rules and TensorFlow


def _oracle(rules: Rules, plain: Run, probed: Run) -> Iterator[str]:
    """Whether the rules say of the program what TensorFlow itself shows of it."""
    yield from _same("oracle, probing changes how it ends", _in_short(plain), _in_short(probed))
    last = plain.error and plain.error[0]
    has_optimizer = rules.given is not None
    if not has_optimizer:
        yield from _same("oracle, the ending", rules.error and rules.error.kind, last)
        if rules.error and rules.error.way and plain.error:
            way = rules.error.way
            yield from _same("oracle, the line of the ending", way, plain.error[2][: len(way)])
    told = list(_told(rules))
    seen = [t[:6] for t in probed.seen]
    yield from _same("oracle, events", told, [_without_names(t) for t in seen[: len(told)]])
    if not has_optimizer:
        yield from _same("oracle, further events", seen[len(told) :], [])
    for number, graph in enumerate(plain.graphs):
        mine = [v for v in rules.variables if v.graph == number]
        theirs = graph.variables[: len(mine)] if has_optimizer else graph.variables
        yield from _same(
            f"oracle, dtypes and shapes of graph {number}",
            [(v.dtype, _plain_shape(v.shape)) for v in mine],
            [t[1:] for t in theirs],
        )
        names = [name for name, *_ in theirs]
        for collection, members in graph.collections.items():
            kept = [names[n] for n, v in enumerate(mine[: len(names)]) if collection in v.collections]
            yield from _same(f"oracle, {collection} of graph {number}", kept, [m for m in members if m in set(names)])


def _plain_shape(shape: Any) -> Any:
    return shape and tuple(-1 if n is None else n for n in shape)


def _in_short(run: Run) -> Any:
    return run.error and (run.error[0], run.error[1].partition(" Originally defined at")[0].partition("\n")[0])


def _told(rules: Rules) -> Iterator[tuple[Any, ...]]:
    for fact in rules.facts:
        match fact:
            case Entered(is_pure=False):
                yield ("entered", fact.graph, fact.scope, fact.flag)
            case Left(is_pure=False):
                yield ("left", fact.graph, fact.scope)
            case Asked():
                yield ("asked", fact.graph, fact.scope, fact.name, fact.flag, fact.outcome)


def _without_names(seen: tuple[Any, ...]) -> tuple[Any, ...]:
    return seen[:4] if seen[0] == "entered" else seen


# ------------------------------------------------------------- with and without watching


def _unchanged(plain: Run, watched: Run) -> Iterator[str]:
    """Whether the program did the same when it was watched."""
    yield from _same("watching changed the ending", plain.error, watched.error)
    yield from _same("watching changed what is printed", plain.printed.splitlines(), watched.printed.splitlines())
    yield from _same("watching changed the counter", plain.counter, watched.counter)
    yield from _same("watching changed layers", plain.layers, watched.layers)
    yield from _same(
        "watching changed the number of ops", [g.ops for g in plain.graphs], [g.ops for g in watched.graphs]
    )
    for number, (one, other) in enumerate(zip(plain.graphs, watched.graphs, strict=False)):
        if one.content != other.content:
            yield f"watching changed graph {number}"
        yield from _same(f"watching changed collections of graph {number}", one.collections, other.collections)


# ------------------------------------------------------------- what watching has told


def _seen(rules: Rules, plain: Run, probed: Run, watched: Run) -> Iterator[str]:
    log, report = watched.log, watched.report
    names = _names(rules, plain)
    ids = _graph_ids(rules, plain)
    wanted = list(_expected(rules, probed, names, ids))
    told = [t for e in log.events if (t := _event(log, e)) is not None]
    extra = rules.given is not None
    yield from _same("events (rules / watching)", wanted, told[: len(wanted)] if extra else told)
    yield from _ending(plain, log, report)
    yield from _requests(rules, ids, report)
    yield from _what_they_gave(rules, plain, names, report)
    yield from _variables(plain, ids, report)
    yield from _scopes(rules, ids, report)
    yield from _trainable(rules, plain, names, ids, report)
    words = ("hook", "not all", "recorded as created", *(() if rules.has_orphans else ("without any",)))
    yield from _same("notes", [], [note for note in log.header.notes if any(word in note for word in words)])


def _names(rules: Rules, plain: Run) -> list[str]:
    """What TensorFlow called each variable of the rules: the n-th of a graph is its n-th variable op."""
    counts: dict[int, int] = {}
    names = []
    for variable in rules.variables:
        at = counts.get(variable.graph, 0)
        counts[variable.graph] = at + 1
        names.append(plain.graphs[variable.graph].variables[at][0])
    return names


def _graph_ids(rules: Rules, plain: Run) -> dict[int, str]:
    """The ids of graphs: in order of first use, then of being made where there are ops only."""
    order = list(dict.fromkeys(rules.used))
    order += [n for n, graph in enumerate(plain.graphs) if graph.ops and n not in order]
    return {number: f"g{n}" for n, number in enumerate(order)}


def _expected(rules: Rules, probed: Run, names: list[str], ids: dict[int, str]) -> Iterator[tuple[Any, ...]]:
    entered = iter([t for t in probed.seen if t[0] == "entered"])
    for fact in rules.facts:
        graph = ids[fact.graph]
        match fact:
            case Entered():
                inside = None if fact.is_pure else next(entered)[4]
                opened = inside if fact.opens else None
                yield ("entered", graph, fact.scope, fact.flag, fact.flag_line, fact.by_library, opened, fact.way)
            case Left():
                yield ("left", graph, fact.scope)
            case Asked():
                stored = tuple(names[n] for n in fact.stored)
                yield (
                    "asked",
                    graph,
                    fact.scope,
                    fact.name,
                    fact.outcome,
                    fact.flag,
                    fact.flag_line,
                    stored,
                    fact.asked_trainable,
                    fact.way,
                )
            case MadeDirectly():
                yield ("made", graph, names[fact.variable], fact.way)
            case _:
                yield ("flag set", graph, fact.scope, fact.way)


def _event(log: Any, event: Any) -> tuple[Any, ...] | None:
    match event:
        case ev.ScopeEntered(for_slots=False):
            line = _line(log, event.flag_path)
            way = _way(log, event.path)
            return ("entered", event.graph, event.scope, event.reuse, line, event.by_library, event.name_scope, way)
        case ev.ScopeLeft():
            return ("left", event.graph, event.scope)
        case ev.Requested(asked_by="program"):
            return (
                "asked",
                event.graph,
                event.scope,
                event.name,
                event.outcome,
                event.reuse,
                _line(log, event.flag_path),
                event.stored,
                event.asked_trainable,
                _way(log, event.path),
            )
        case ev.MadeDirectly(role="plain"):
            return ("made", event.graph, event.name, _way(log, event.path))
        case ev.ReuseSet():
            return ("flag set", event.graph, event.scope, _way(log, event.path))
    return None


def _line(log: Any, path: int | None) -> int | None:
    caller = log.caller(path)
    return caller.line if caller else None


def _way(log: Any, path: int) -> tuple[tuple[int, str], ...]:
    return tuple((f.line, f.function) for f in log.path(path))


def _ending(plain: Run, log: Any, report: Any) -> Iterator[str]:
    told = report["error"]
    if plain.error is None or (plain.error[0] == "SystemExit" and plain.error[1] in ("", "0")):
        yield from _same("ending", None, told)
        return
    kind, message, lines = plain.error
    yield from _same("type of the ending", kind, told and told["type"])
    yield from _same("line of the ending", lines[-1][0], told and told["line"])
    if kind != "SystemExit" and told and " ".join(message.split())[:60] not in " ".join(bare(told["message"]).split()):
        yield f"message of the ending: {message} / {told['message']}"


def _requests(rules: Rules, ids: dict[int, str], report: Any) -> Iterator[str]:
    wanted = [
        (ids[fact.graph], fact.name, fact.outcome, fact.flag, fact.flag_line, fact.way[-1][0])
        for fact in rules.facts
        if isinstance(fact, Asked)
    ]
    told = []
    for row in report["requests"]:
        if row["asked_by"] == "program":
            place = row["reuse_set_at"] and row["reuse_set_at"]["line"]
            told.append((row["graph"], row["name"], row["outcome"], row["reuse"], place, row["line"]))
    yield from _same("requests of the report", wanted, told)
    first = [f.first_line for f in rules.facts if isinstance(f, Asked) and f.outcome == "reused"]
    rows = [r["first_created_at"] for r in report["requests"] if r["outcome"] == "reused"]
    yield from _same("first created at", first, [r and r["line"] for r in rows])


def _what_they_gave(rules: Rules, plain: Run, names: list[str], report: Any) -> Iterator[str]:
    """Shape and dtype of the one variable that a request gave; the getter `doubled` gives another than it makes."""
    shapes = [{name: (dtype, shape) for name, dtype, shape in graph.variables} for graph in plain.graphs]
    rows = [row for row in report["requests"] if row["asked_by"] == "program"]
    for fact, row in zip((f for f in rules.facts if isinstance(f, Asked)), rows, strict=False):
        if len(fact.stored) == 1 and not names[fact.stored[0]].endswith("_x"):
            shape = row["shape"] and tuple(-1 if n is None else n for n in row["shape"])
            wanted = shapes[fact.graph][names[fact.stored[0]]]
            yield from _same(f"given for {fact.name}", wanted, (row["dtype"], () if shape == [] else shape))


def _variables(plain: Run, ids: dict[int, str], report: Any) -> Iterator[str]:
    told: dict[str, list[tuple[Any, ...]]] = {}
    for row in report["variables"]:
        shape = None if row["shape"] is None else tuple(-1 if n is None else n for n in row["shape"])
        told.setdefault(row["graph"], []).append((row["name"], row["dtype"], shape, row["trainable"]))
    for number, graph in enumerate(plain.graphs):
        trainable = graph.collections["trainable_variables"]
        wanted = [(*v, v[0] in trainable) for v in graph.variables]
        yield from _same(f"variables of graph {number}", sorted(wanted), sorted(told.get(ids.get(number, ""), [])))


def _scopes(rules: Rules, ids: dict[int, str], report: Any) -> Iterator[str]:
    wanted: dict[tuple[str, str], list[Any]] = {}
    for fact in rules.facts:
        if isinstance(fact, (Entered, Asked)):
            wanted.setdefault((ids[fact.graph], ""), [0, 0, [], 0, 0, 0])
            row = wanted.setdefault((ids[fact.graph], fact.scope), [0, 0, [], 0, 0, 0])
            if isinstance(fact, Entered):
                row[fact.by_library] += 1
                row[2].append(fact.flag)
            else:
                row[3 + ("created", "reused", "refused").index(fact.outcome)] += 1
    told = {
        (r["graph"], r["name"]): [
            r["entered"],
            r["entered_by_library"],
            list(r["reuses"]),
            r["created"],
            r["reused"],
            r["refused"],
        ]
        for r in report["scopes"]
    }
    if rules.given is not None:
        told = {key: row for key, row in told.items() if key in wanted}
    yield from _same("scopes", sorted(wanted.items()), sorted(told.items()))


def _trainable(rules: Rules, plain: Run, names: list[str], ids: dict[int, str], report: Any) -> Iterator[str]:
    told = report["trainable"]
    wanted = [n for g in ids for n in plain.graphs[g].collections["trainable_variables"]]
    yield from _same("trainable variables", sorted(wanted), sorted(told["graph"]))
    for layer, own in plain.layers.items():
        if own not in list(told["layers"].values()):
            yield f"layer {layer}: {own} / {told['layers']}"
    for optimizer in told["optimizers"]:
        assert rules.given is not None
        yield from _same("given to the optimizer", [names[n] for n in rules.given[1]], optimizer["variables"])
