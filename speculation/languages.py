"""Which of four languages a text is in, by its most frequent words.

The law: a language is named only where it is plain. For every other text the answer is None, and
whoever needs to know its negations must then not trust a comparison of wordings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

_COMMONEST: Mapping[str, str] = MappingProxyType(
    {
        "en": "a about all also am an and any are as at be because been but by can could did do "
        "does for from had has have he her here his how i if in is it its may me must my no not "
        "of on or our please she should so than that the their them then there these they this to "
        "was we were what when which who why will with would yes you your",
        "de": "aber als am an auch auf aus bei bin bis bitte das dass dem den der des die doch du "
        "durch ein eine einem einen einer eines er es für habe haben hat hatte ich ihm ihn ihr "
        "ihre ihren im in ist ja kann können mit nach nicht noch nur oder ohne sehr sein seine "
        "sich sie sind so und uns unser unsere vom von vor war was weil wenn werden wie wir wird "
        "wurde wurden zu zum zur über um diese dieser dieses mir mich möchte",
        "fr": "a au aux avec avez avons bien car ce ces cet cette comme d dans de des donc du "
        "elle en est et il ils j je l la le les leur lui m ma mais me mes moi mon n ne nos notre "
        "nous on ont ou où par pas plus pour qu que qui s sa sans se ses si son sont sur te tu un "
        "une vos votre vous y était été être",
        "es": "a al como con cuando de del desde donde el ella ellos en entre era es esta estaba "
        "este esto está están fue ha han hay la las le les lo los me mi mis muy más no nos "
        "nuestra nuestro o para pero por porque que se ser si sin sobre son su sus también te "
        "tiene tu un una unas unos usted ustedes y ya yo",
    }
)

FUNCTION_WORDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {language: frozenset(words.split()) for language, words in _COMMONEST.items()}
)
"""The commonest words that say little by themselves; a word may belong to several languages."""

PLAIN_SHARE = 0.3
"""At least this share of the words must be the language's own common ones. Running text has 0.4 to
0.6; a related language that is not listed (Italian, Portuguese, Dutch) about 0.2. Ours."""

PLAIN_WORDS = 2


def language_of(words: Sequence[str]) -> str | None:
    """The language of a text, given its words in lower case; None where it is not plain."""
    found = {
        language: sum(word in common for word in words)
        for language, common in FUNCTION_WORDS.items()
    }
    first, second = sorted(found, key=lambda language: found[language], reverse=True)[:2]
    plain = found[first] >= max(PLAIN_WORDS, PLAIN_SHARE * len(words))
    return first if plain and found[first] > found[second] else None


def is_function_word(word: str) -> bool:
    """Whether a word in lower case says little by itself in some language."""
    return any(word in common for common in FUNCTION_WORDS.values())
