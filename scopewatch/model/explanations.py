"""From a pasted message, a traceback or a word to what is known of it; no TensorFlow is needed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from scopewatch.errors import UsageError
from scopewatch.model.knowledge import Topic, filled, topics

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07")
_QUOTES = str.maketrans("", "", "'\"`\u2018\u2019\u201c\u201d")
_FIELD = re.compile(r"\{(\w+)\}")
_EXCEPTION = re.compile(
    r"^\s*(?:[EXx|!>]\s+)?(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Interrupt|Exit)\b:?", re.M
)
_EMPTY_WORDS = {"a", "an", "the", "what", "is", "are", "does", "mean", "means", "explain", "in", "of", "tensorflow"}
_ENOUGH = 0.72
"""Of a message's own words, by how rare they are, so many must be there where it is not there word for word."""


_PIECE = 16
"""So many letters of a message at least must be there; fewer stand in many a text."""


@dataclass(frozen=True)
class Answer:
    """A topic with what the message said. `sure`: the message was there word for word."""

    topic: Topic
    names: dict[str, str]
    sure: bool = True

    @property
    def cause(self) -> str:
        """Why it happens, or what the word means."""
        return filled(self.topic.cause, self.names)

    @property
    def check(self) -> str:
        """How to see it in one's own program."""
        return filled(self.topic.check, self.names)

    @property
    def fix(self) -> str:
        """What to do."""
        return filled(self.topic.fix, self.names)


def explain(text: str) -> Answer:
    """What is known of a pasted message or of a word.

    Raises:
        UsageError: nothing is; the closest topics are named.
    """
    cleaned = _cleaned(text)
    answer = _concept(cleaned) or explain_message(text)
    if answer is not None:
        return answer
    shown = cleaned if len(cleaned) <= 60 else f"{cleaned[:57]}..."
    near = _closest(cleaned)
    if near:
        raise UsageError(
            f"nothing is known of {shown!r}. Did you mean: {', '.join(near)}? `scopewatch explain` alone lists all."
        )
    raise UsageError(f"nothing is known of {shown!r}. `scopewatch explain` alone lists all.")


def explain_message(text: str) -> Answer | None:
    """What is known of a message, a traceback or a log with one in it; `None` where nothing is."""
    for part in _parts(text):
        found = _word_for_word(part)
        if found is not None:
            return found
    return _cut_short(_parts(text)[0]) or _alike(_parts(text)[0])


def explain_failure(error_type: str, message: str) -> str:
    """A sentence or two about an error that ended a program."""
    answer = explain_message(message)
    if answer is not None and answer.sure:
        return f"{answer.cause} {answer.fix}"
    if error_type == "SystemExit":
        return "The program ended itself with sys.exit; all that it built before is reported."
    if error_type == "KeyboardInterrupt":
        return "The run was interrupted; all that was seen before is reported."
    return "The program raised this itself; all that it built before is reported."


# ------------------------------------------------------------------------------ messages


def _cleaned(text: str) -> str:
    """One line without colours, quotes and doubled spaces."""
    return " ".join(_ANSI.sub("", text).translate(_QUOTES).split())


def _parts(text: str) -> list[str]:
    """Where to look, best first: what the last exception of a traceback says, then each earlier one, then all of it."""
    raw = _ANSI.sub("", text)
    starts = [m.start() for m in _EXCEPTION.finditer(raw)]
    ends = [*starts[1:], len(raw)][: len(starts)]
    said = [_cleaned(raw[start:end]) for start, end in zip(starts, ends, strict=True)]
    return [*reversed(said), _cleaned(raw)]


@dataclass(frozen=True)
class _Pattern:
    topic: Topic
    literals: tuple[str, ...]
    fields: tuple[str, ...]
    length: int

    def find(self, text: str) -> dict[str, str] | None:
        """What stands in the places, if the message is in the text."""
        if max(self.literals, key=len).lower() not in text.lower():
            return None
        parts = []
        for index, literal in enumerate(self.literals):
            parts.append(re.escape(literal))
            if index < len(self.fields):
                last = index == len(self.fields) - 1 and not self.literals[-1]
                parts.append(r"(\([^)]*\)|\[[^\]]*\]|[^\s,;]+)" if last else r"(\S.{0,300}?)")
        expression = re.compile("".join(parts), re.IGNORECASE)
        match = expression.search(text)
        if match is None:
            return None
        # The tightest: a name must not begin at an earlier word that happens to be the message's first.
        later = expression.search(text, match.start() + 1) if self.literals[0] else None
        while later is not None and later.end() == match.end():
            match, later = later, expression.search(text, later.start() + 1)
        return {f: _trimmed(v) for f, v in zip(self.fields, match.groups(), strict=True)}


def _trimmed(value: str) -> str:
    value = re.sub(r"^.*Error: ", "", value.strip()).rstrip(".,:;")
    value = re.sub(r"<dtype: (\w+)>", r"\1", value)
    value = re.sub(r"<(?:[\w.]+\.)?(\w+) object at 0x\w+>?", r"\1", value)
    # `Tensor("w:0", shape=...)` and `<tf.Variable 'w:0' ...>` go by the name in them.
    named = re.fullmatch(r"(?:Tensor )*(?:<?tf\.(?:Variable|Tensor)|Tensor\()\s*([^\s,]+).*", value)
    if named is not None:
        value = named[1].removesuffix(":0")
    return value.rstrip("/")


@cache
def _patterns() -> tuple[_Pattern, ...]:
    made = []
    for topic in topics():
        for message in topic.messages:
            pieces = _FIELD.split(message.replace("{{node ", "\0"))
            literals = tuple(p.replace("\0", "{{node ") for p in pieces[::2])
            made.append(_Pattern(topic, literals, tuple(pieces[1::2]), sum(map(len, literals))))
    return tuple(made)


def _word_for_word(text: str) -> Answer | None:
    """The topic of which the longest message is in the text."""
    best: tuple[int, Answer] | None = None
    for pattern in _patterns():
        if best is None or pattern.length > best[0]:
            names = pattern.find(text)
            if names is not None:
                best = pattern.length, Answer(pattern.topic, names)
    return best[1] if best else None


def _cut_short(text: str) -> Answer | None:
    """The topic of which the text has a piece, where its beginning or its end was not pasted."""
    scored = sorted(((sum(_piece(text, li) for li in p.literals), p) for p in _patterns()), key=lambda s: -s[0])
    best, pattern = scored[0]
    if best < _PIECE or any(score == best and p.topic is not pattern.topic for score, p in scored[1:]):
        return None
    return Answer(pattern.topic, _partial_names(pattern, text), sure=False)


def _piece(text: str, literal: str) -> int:
    """How much of a piece of a message is in the text: all of it, or as far as the text goes at one of its ends."""
    text, literal = text.lower(), literal.lower().strip()
    if len(literal.split()) < 2:
        return 0
    if literal in text:
        return len(literal)
    ends = (n for n in range(len(literal) - 1, _PIECE // 2 - 1, -1))
    return next((n for n in ends if text.endswith(literal[:n]) or text.startswith(literal[-n:])), 0)


def _words(text: str) -> list[str]:
    return re.findall(r"[A-Za-z][A-Za-z_]{2,}", text.lower())


@cache
def _rarity() -> dict[str, float]:
    """Word to how much it tells: the fewer messages have it, the more."""
    sets = [set(_words(" ".join(p.literals))) for p in _patterns()]
    counts: dict[str, int] = {}
    for words in sets:
        for word in words:
            counts[word] = counts.get(word, 0) + 1
    return {word: 1.0 / count for word, count in counts.items()}


def _alike(text: str) -> Answer | None:
    """The topic with a message that is cut short or said in slightly other words; `None` where none is near."""
    scored = _scored(text)
    if not scored or scored[0][0] < _ENOUGH:
        return None
    return Answer(scored[0][1].topic, _partial_names(scored[0][1], text), sure=False)


def _scored(text: str) -> list[tuple[float, _Pattern]]:
    """Messages by the share of their words (or of the text's, where it is a piece of the message) that both have."""
    rarity, given = _rarity(), _words(text)
    known = [w for w in given if w in rarity]
    scored = []
    for pattern in _patterns():
        own = _words(" ".join(pattern.literals))
        shared = set(own) & set(given)
        weight = sum(rarity[w] for w in set(own))
        score = sum(rarity[w] for w in shared) / weight
        piece = len([w for w in known if w in own]) / max(len(given), 1)
        if len(shared) >= 3 and sum(rarity[w] for w in shared) >= 0.7:
            score = max(score, piece * 0.95)
        if len(shared) >= 2:
            scored.append((score, pattern))
    return sorted(scored, key=lambda s: -s[0])


def _partial_names(pattern: _Pattern, text: str) -> dict[str, str]:
    """What stands in the places that the text still has: between two pieces of the message that are there."""
    names = {}
    for index, field in enumerate(pattern.fields):
        before = " ".join(pattern.literals[index].split()[-2:])
        after = " ".join(pattern.literals[index + 1].split()[:2])
        value = rf"(\S.{{0,200}}?)\s*{re.escape(after)}" if after else r"(\([^)]*\)|\[[^\]]*\]|[^\s,;]+)"
        match = re.search(rf"{re.escape(before)}\s*{value}", text, re.IGNORECASE) if before else None
        if match is not None:
            names[field] = _trimmed(match[1])
    return names


# ------------------------------------------------------------------------------ concepts


def key_of(text: str) -> str:
    """A word as it is looked up: case, spaces, hyphens, plurals and `tf.` do not matter."""
    words = [w for w in re.split(r"[^a-z0-9|*/=]+", text.lower().replace("tf.", "")) if w and w not in _EMPTY_WORDS]
    joined = "".join(words)
    joined = joined.replace("isation", "ization").replace("initialis", "initializ").replace("regularis", "regulariz")
    return joined[:-1] if joined.endswith("s") and len(joined) > 3 else joined


@cache
def _concepts() -> dict[str, Topic]:
    """Every name of every topic, by key."""
    found: dict[str, Topic] = {}
    for topic in topics():
        for name in (topic.name, *topic.also):
            found.setdefault(key_of(name), topic)
    return found


def _concept(text: str) -> Answer | None:
    topic = _concepts().get(key_of(text)) if len(text) <= 60 else None
    return Answer(topic, {}) if topic is not None else None


def _closest(text: str) -> list[str]:
    """Names of topics that are spelt alike, or share words with the text."""
    import difflib  # Only here: it would be a tenth of the start-up.

    concepts = _concepts()
    near = difflib.get_close_matches(key_of(text), concepts, n=3, cutoff=0.7) if len(text) <= 60 else []
    named = [concepts[k].name for k in near]
    named += [t.name for t in _sharing_words(text)]
    return list(dict.fromkeys(named))[:3]


def _sharing_words(text: str) -> Iterable[Topic]:
    scored = [p.topic for score, p in _scored(text)[:4] if score >= 0.3]
    words = set(_words(text)) - _EMPTY_WORDS
    titled = [t for t in topics() if words & set(_words(f"{t.name.replace('-', ' ')}")) and len(words) <= 4]
    return [*scored, *titled[:3]]
