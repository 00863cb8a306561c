"""Reasons to call two texts different, whatever a similarity measure says of them.

The law: better a wrong "different" than a wrong "same". The first costs one call, the second puts a
wrong answer downstream. So no gate ever says "same"; it only fails to object.

What is called different changes with every word added to the lists, so a run records the verdict
and never works it out again on replay.

The surprise: order counts where swapping changes meaning and nothing else. "Ann owes 5, Bob 10" and
"Ann owes 10, Bob 5" have the same names and the same numbers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from forerun.speculation.canonical import canonical
from forerun.speculation.cue_words import cues_in, persons_in
from forerun.speculation.json_text import json_in
from forerun.speculation.text_reading import Reading, read

LONGEST = 32_768
"""Characters of a text that is compared at all; that much takes some 20 ms. Ours."""

LENGTH_RATIO = 2
"""A text more than so many times as long as the other says more, or less."""

_SHOWN = 40


def gates(predicted: str, actual: str) -> str | None:
    """Why these texts can't be taken for equivalent; None if nothing is in the way.

    Symmetric, up to the wording of the reason. It says nothing about texts that pass: those are
    for a similarity measure or a judge. A text in no language known here never passes, unless it is
    the same word for word: its negations would go unseen.
    """
    if same_wording(predicted, actual):
        return None
    if max(len(predicted), len(actual)) > LONGEST:
        return f"a text of more than {LONGEST} characters"
    if json_in(predicted) is not None or json_in(actual) is not None:
        return "different JSON"
    one, other = read(predicted), read(actual)
    return _facts_differ(one, other) or _wording_differs(one, other)


def same_wording(predicted: str, actual: str) -> bool:
    """Whether texts are the same but for case, spacing, punctuation, formatting, JSON layout."""
    if canonical(predicted) == canonical(actual):
        return True
    if max(len(predicted), len(actual)) > LONGEST:
        return False
    here, there = json_in(predicted), json_in(actual)
    if here is not None or there is not None:
        return here == there
    one, other = read(predicted), read(actual)
    return bool(one.items) and (one.items, one.literal_lines) == (other.items, other.literal_lines)


def _facts_differ(one: Reading, other: Reading) -> str | None:
    if one.facts != other.facts:
        here, there = _first_difference(one.facts, other.facts)
        return f"facts differ: {here} is {there}"
    if one.literal_lines != other.literal_lines:
        return "lines that look like code differ"
    if _asks(one) != _asks(other):
        return "one of them asks, the other does not"
    return None


def _wording_differs(one: Reading, other: Reading) -> str | None:
    if not one.language or one.language != other.language:
        return f"languages differ or are unknown: {one.language} is {other.language}"
    return (
        _length_differs(one.words, other.words)
        or _names_differ(one, other)
        or _cues_differ(one.words, other.words)
        or _prefix_differs(one.words, other.words)
        or _roles_differ(one.words, other.words)
    )


def _asks(reading: Reading) -> bool:
    return any(kind == "mark" and text.startswith("?") for kind, text in reading.items)


def _length_differs(one: Sequence[str], other: Sequence[str]) -> str | None:
    short, long = sorted((len(one), len(other)))
    return f"lengths differ: {short} words, {long} words" if long > LENGTH_RATIO * short else None


def _names_differ(one: Reading, other: Reading) -> str | None:
    """Every name of either text must be in the other, in whatever case, and in the same order."""
    names = set(one.names) | set(other.names)
    here, there = (_firsts(reading.words, names) for reading in (one, other))
    if here == there:
        return None
    return "names differ: {} is {}".format(*_first_difference(here, there))


def _firsts(words: Sequence[str], names: set[str]) -> list[str]:
    stems = (word.removesuffix("'s") for word in words)
    return list(dict.fromkeys(stem for stem in stems if stem in names))


def _cues_differ(one: Sequence[str], other: Sequence[str]) -> str | None:
    here, there = cues_in(one), cues_in(other)
    if here != there:
        cue = min((here - there) + (there - here))
        return f"{cue!r} is said {here[cue]} times, and {there[cue]} times"
    # One text may speak of a person where the other does not; but not each of another one.
    persons, others = persons_in(one), persons_in(other)
    if persons - others and others - persons:
        return f"persons differ: {min(persons - others)!r} is {min(others - persons)!r}"
    return None


def _prefix_differs(one: Sequence[str], other: Sequence[str]) -> str | None:
    """Able and unable, valid and invalid, careful and careless."""
    here, there = set(one) - set(other), set(other) - set(one)
    for plain, opposed in ((here, there), (there, here)):
        for word in sorted(plain):
            forms = {prefix + word for prefix in _PREFIXES} | {word.removesuffix("ful") + "less"}
            if found := forms & opposed:
                return f"{word!r} is {min(found)!r}"
    return None


_PREFIXES = (
    "un", "in", "im", "ir", "il", "dis", "non", "non-", "mis", "de", "re", "anti", "a", "ab", "miss",
    "dé", "des", "dés", "mal", "mé",
)  # fmt: skip


def _roles_differ(one: Sequence[str], other: Sequence[str]) -> str | None:
    """Whether three words come in reverse order: "the buyer pays the seller", and turned round.

    Only words that each text has once are looked at. Two words that change places are an ordinary
    paraphrase ("on Friday it was sent"); a third that stays between them makes it a swap.
    """
    once, place = Counter(one), {word: at for at, word in enumerate(other)}
    again = Counter(other)
    shared = [word for word in one if once[word] == 1 and again[word] == 1]
    turned = _longest_rise([-place[word] for word in shared])
    return "three words come in reverse order" if turned > 2 else None


def _longest_rise(numbers: Sequence[int]) -> int:
    """The length of the longest rising subsequence."""
    ends: list[int] = []
    for value in numbers:
        at = bisect_left(ends, value)
        ends[at : at + 1] = [value]
    return len(ends)


def _first_difference(one: Sequence[str], other: Sequence[str]) -> tuple[str, str]:
    at = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
    return _shown(one, at), _shown(other, at)


def _shown(texts: Sequence[str], at: int) -> str:
    return f"{texts[at]!r:.{_SHOWN}}" if at < len(texts) else "missing"
