"""A text as words and facts, with its formatting taken off.

The law: what is taken off can't carry meaning. Words lose their case and the punctuation at their
ends; white space, headings, bullets and bold print go. Everything else stays: numbers, amounts, ids,
URLs, code, quotations and symbols are facts and keep their exact spelling, and so do lines in which
white space or brackets may count.

The surprise: numbers are spelled one way only where that takes no guess. `1,000` is a thousand in
English, one in German, and left alone where the language is not plain; `1.10` may be a version, so
it is 1.1 only with a unit; `$` may be any of twenty dollars, so it is not USD.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from forerun.speculation.cue_words import NOT, cues_in
from forerun.speculation.languages import is_function_word, language_of

Item = tuple[Literal["word", "fact", "mark"], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a text says, in order.

    `items` are words in lower case, facts, and marks (brackets, dashes and question marks: kept,
    but of little weight). `literal_lines` are the lines that count as they stand. `names` are the
    words written with a capital, but for those that any sentence may begin with. `language` is None
    where it is not plain.
    """

    items: tuple[Item, ...]
    literal_lines: tuple[str, ...]
    names: tuple[str, ...]
    language: str | None

    @property
    def words(self) -> list[str]:
        """Its words in lower case."""
        return [text for kind, text in self.items if kind == "word"]

    @property
    def facts(self) -> list[str]:
        """Its facts, as they are compared."""
        return [text for kind, text in self.items if kind == "fact"]


def read(text: str) -> Reading:
    """Take `text` apart."""
    plain = _plain(text.replace("\r\n", "\n"))
    language = language_of(_LETTERS.findall(plain.lower()))
    reader = _Reader(language)
    for found in _ITEM.finditer(_MARKDOWN.sub(_unmarked, plain)):
        reader.take(found)
    return Reading(
        items=reader.items(),
        literal_lines=_literal_lines(plain),
        names=tuple(reader.names),
        language=language,
    )


class _Reader:
    def __init__(self, language: str | None) -> None:
        self._language = language
        self._items: list[Item] = []
        self.names: list[str] = []

    def items(self) -> tuple[Item, ...]:
        end = -1 if self._items[-1:] == [_STOP] else None
        return tuple(self._items[:end])

    def take(self, found: re.Match[str]) -> None:
        """Enter what `_ITEM` has found."""
        text = found[0]
        match found.lastgroup:
            case "amount":
                self._items.append(("fact", _amount(found, self._language)))
            case "time":
                self._items.append(("fact", re.sub(r"[\s.]+(?=[apm])|\.$", "", text.lower())))
            case "run":
                self._run(text)
            case "stop":
                self._stop()
            case "symbol":
                is_symbol = unicodedata.category(text[0]).startswith("S")
                self._items.append(("fact" if is_symbol else "mark", text))
            case _:
                self._items.append(("fact", " ".join(text.split()) if text[0] in "\"'" else text))

    def _run(self, text: str) -> None:
        if not _WORD.fullmatch(text) or _INNER_CAPITAL.search(text):
            self._items.append(("fact", text))
            return
        # Not `casefold`: it makes Maße Masse.
        word = text.lower()
        self._items.append(("word", word))
        if text[0].isupper() and not is_function_word(word):
            self.names.append(word.removesuffix("'s"))

    def _stop(self) -> None:
        """Where a negation ends a clause is meaning: "no, stop" is not "no stop"."""
        kind, last = self._items[-1] if self._items else _STOP
        if kind == "word" and cues_in([last])[NOT]:
            self._items.append(_STOP)


_STOP: Item = ("fact", "the end of a negation")


def _literal_lines(plain: str) -> tuple[str, ...]:
    """As far as they are indented relative to the whole."""
    lines: list[str] = _LITERAL.findall(textwrap.dedent(plain.strip("\n")))
    return tuple(line.rstrip() for line in lines)


def _plain(text: str) -> str:
    """One spelling for characters that look alike."""
    if text.isascii():
        return text
    text = _GROUPED.sub("'", text)
    spelled = "".join(char if char.isascii() else _spelled(char) for char in text)
    return unicodedata.normalize("NFKC", spelled).translate(_TYPOGRAPHY)


def _spelled(char: str) -> str:
    """NFKC alone would make 10⁵ a 105, and 5½ a 51/2."""
    form = unicodedata.decomposition(char).partition(">")[0]
    return f"{_RAISED[form]}{char}" if form in _RAISED else char


def _unmarked(found: re.Match[str]) -> str:
    return found["code"] or found["bold"] or ""


def _amount(found: re.Match[str], language: str | None) -> str:
    number = _without_groups(found["number"], language)
    units = [_UNITS.get(unit.lower(), unit) for unit in found.group("before", "after") if unit]
    if units:
        # Not three zeros: they may be thousands, in a language that we did not make out.
        number = _ROUND.sub("", number)
    return " ".join([(found["sign"] or "").strip() + number, *units])


def _without_groups(number: str, language: str | None) -> str:
    if _APOSTROPHES.fullmatch(number):
        return number.replace("'", "")
    if _COMMAS.fullmatch(number) or (language == "en" and _ONE_COMMA.fullmatch(number)):
        return number.replace(",", "")
    if (language in ("de", "es") and _POINTS.fullmatch(number)) or (
        language == "de" and _ONE_POINT.fullmatch(number)
    ):
        return number.replace(".", "")
    return number


_RAISED: Mapping[str, str] = MappingProxyType({"<super": "^", "<sub": "_", "<fraction": " "})
_GROUPED = re.compile(r"(?<=\d)[\u00a0\u2009\u202f’](?=\d{3}(?!\d))")
_TYPOGRAPHY = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'"}
    | dict.fromkeys("‐‑‒–−", "-")
)

_LETTERS = re.compile(r"[^\W\d_]+")
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*|(?:[^\W\d_]\.)+[^\W\d_]")
_INNER_CAPITAL = re.compile(r"[a-z][A-Z]")

_MARKDOWN = re.compile(
    r"(?P<code>```[\s\S]*?```|`[^`\n]+`)"
    r"|^#{2,6}[ ]+"  # one # may open a comment
    r"|^[ \t]*[-*•][ ]+(?=[^\W\d]|[\"'*`])"  # "- 5" may be minus five
    r"|(?<![\w*])\*\*(?=[\w\"'$€£(])(?P<bold>[^*\n]+)(?<=[\w.,:;!?%)\"'])\*\*(?![\w*])",
    re.MULTILINE,
)
"""Not italics: `*log*` may be a pattern, and `_log_` a name."""

_LITERAL = re.compile(
    r"^(?:[ \t]+\S.*|.*(?:[{};]|\):|=>)[ \t]*|.*(?:\w\(\)|[ ](?:[=!:]?=|[-=]>)[ ]).*)$",
    re.MULTILINE,
)
"""Indented lines, and lines that look like code."""

_CURRENCY = r"US\$|[$€£¥₹]|USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD"
_MEASURE = (
    r"%|‰|percent|Prozent|[Ee]uros?|[Dd]ollars?|°C|°F|k?g|mg|[µμ]g|t|lbs?|oz|[kcmµμn]?m|[mc]?l|L|"
    r"[mµμn]?s|min|h|[kKMGT]i?B|[kMG]?bit|[kMG]?Wh?|m?A|k?V|[kMG]?Hz|px"
)
_UNITS: Mapping[str, str] = MappingProxyType(
    {"€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "us$": "USD"}
    | {"dollar": "$", "dollars": "$", "percent": "%", "prozent": "%"}
)

_ITEM = re.compile(
    rf"""
      (?P<code> ```[\s\S]*?``` | `[^`\n]+` )
    | (?P<url> [A-Za-z][A-Za-z0-9+.-]*://[^\s<>"`]*[^\s<>"`.,;:!?')\]*] )
    | (?P<quotation> "[^"\n]*" | (?<!\w)'[^'\n]+'(?!\w) )
    | (?P<time> (?<!\w)\d{{1,2}}(?:[:.]\d\d)?\s*[AaPp]\.?[Mm]\b\.? )
    | (?P<amount>
        (?P<sign> [-+(]\s* )?  # (5) is minus five in a balance
        (?: (?P<before> (?<!\w)(?:{_CURRENCY}) )\s* )?
        (?<!\w) (?P<number> \d+(?:[.,']\d+)* | \.\d+ )
        (?: \s*(?P<after> (?:{_CURRENCY}|{_MEASURE}) )(?!\w) )?
        (?! \w | [-./:,'@#&+=\\~⁄^*]\w )
      )
    | (?P<run> \.?\w(?: \w | [-./:,'@#&+=\\~⁄^*](?=\w) )* )
    | (?P<stop> (?: [.,;:!]+ (?=[\s)\]}}"'*]|$) | [—¡¿] ) )
    | (?P<symbol> \?[?!]* | \S )
    """,
    re.VERBOSE,
)

_APOSTROPHES = re.compile(r"\d{1,3}(?:'\d{3})+(?:[.,]\d+)?")
_COMMAS = re.compile(r"\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}")
_POINTS = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}")
_ONE_COMMA = re.compile(r"[1-9]\d{0,2},\d{3}")
_ONE_POINT = re.compile(r"[1-9]\d{0,2}\.\d{3}")
_ROUND = re.compile(r"[.,]0(?:0|0{3,})?$|(?<=[.,]\d)0$")
