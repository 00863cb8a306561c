"""The README and the pages of docs/, read the way a reader would: blocks, commands, links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
SHELL = "sh"

_BLOCK = re.compile(
    r"^```(?P<language>\w*)\n(?P<fenced>.*?)^```$"
    r"|(?<=\n\n)(?P<indented>(?: {4}[^\n]*\n|\n(?= {4}))+)",
    re.DOTALL | re.MULTILINE,
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_FILE = re.compile(r"`(\w+\.(?:json|py))`")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_SHELL_ENDS = {"|", "||", "&&", ";", "&"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block of code; one that is indented is shell. `name` is the file that it stands for."""

    page: Path
    line: int
    language: str
    text: str
    name: str

    @property
    def where(self) -> str:
        """For people, and for the names of tests."""
        return f"{self.page.name}:{self.line}"

    @property
    def commands(self) -> list[list[str]]:
        """The words of each command in it, without comments, pipes and redirections."""
        if self.language != SHELL:
            return []
        lines = self.text.replace("\\\n", " ").splitlines()
        return [words for line in lines for words in commands(line)]


@cache
def blocks(page: Path) -> tuple[Block, ...]:
    """All blocks of a page. A file's name stands in code where the paragraph before begins."""
    text = page.read_text(encoding="utf-8")
    return tuple(_block(page, text, found) for found in _BLOCK.finditer(text))


def _block(page: Path, text: str, found: re.Match[str]) -> Block:
    before = text[: found.start()]
    named = _FILE.match(before.rstrip().rpartition("\n\n")[2])
    indented = found["indented"]
    return Block(
        page=page,
        line=before.count("\n") + 1,
        language=SHELL if indented else found["language"],
        text=re.sub(r"^ {4}", "", indented, flags=re.MULTILINE) if indented else found["fenced"],
        name=named[1] if named else "",
    )


def all_blocks(language: str) -> list[Block]:
    """Those of all pages in one language."""
    return [block for page in PAGES for block in blocks(page) if block.language == language]


def commands(line: str) -> Iterator[list[str]]:
    """The words of the commands in a line of shell."""
    words: list[str] = []
    typed = iter([*shlex.split(line, comments=True), ";"])
    for word in typed:
        if word in (">", "<"):
            next(typed)
        elif word not in _SHELL_ENDS:
            words.append(word)
        elif words:
            yield words
            words = []


def spoken(page: Path) -> list[str]:
    """What stands in code within the text of a page."""
    return _CODE.findall(_prose(page))


def links(page: Path) -> list[str]:
    """Where the links and images of a page lead, outside addresses left out."""
    return [to for to in _LINK.findall(_prose(page)) if "://" not in to]


@cache
def anchors(page: Path) -> frozenset[str]:
    """What a link can name after its #, as GitHub spells headings."""
    heads = _HEADING.findall(_prose(page))
    return frozenset(re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads)


def _prose(page: Path) -> str:
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))
