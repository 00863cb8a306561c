"""Whatever a history holds enters a page as text."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from forerun.workers.report.page import workload_page
from forerun.workers.report.sample import sample_of
from forerun.workers.report.workload import workload
from tests.forging import Forged, attributes, value
from tests.workers.audit.test_garbage import spoiled as garbled
from tests.workers.report.kept import page

MARKUP = "</style></title><script>alert(1)</script>'\"><img src=//evil.example/x onerror=alert(1)>"
PIECES = ("<", ">", '"', "'", "&", "&lt;", "{{", "}}", "{%", "-->", "]]>", "</style>", "<script>")
hostile = st.lists(
    st.sampled_from((*PIECES, "a", " ", "\u202e", "\x00", "\ud800", "é")), min_size=1
)

KNOWN_TAGS = """
html head meta title style body main header footer section p h1 h2 h3 h4 b i span div br ul ol li dl
dt dd small details summary pre figure figcaption svg rect line circle text table thead tbody tfoot
tr th td a u
"""
KNOWN_ATTRIBUTES = """
lang charset name content http-equiv class style title role tabindex scope id href viewbox x y x1 x2
y1 y2 width height cx cy r text-anchor aria-label aria-hidden transform
"""
TAGS, ATTRIBUTES = frozenset(KNOWN_TAGS.split()), frozenset(KNOWN_ATTRIBUTES.split())
PLACED = re.compile(r"^((left|width|top|height|--rows?):-?[0-9.]+%?;?)+$")


class Reader(HTMLParser):
    """A page as a browser takes it: its tags, its attributes and its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.fields: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(html)
        self.close()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fields += attrs

    @override
    def handle_data(self, data: str) -> None:
        self.words += data


def check(html: str) -> Reader:
    """Nothing in it but what our templates write."""
    html.encode()
    page = Reader(html)
    assert set(page.tags) <= TAGS
    assert {name for name, _ in page.fields} <= ATTRIBUTES
    for name, said in page.fields:
        assert name != "style" or PLACED.match(said or ""), said
        assert name != "href" or re.fullmatch(r"#d\d+", said or ""), said
    assert page.tags.count("style") == 1
    return page


def spoiled(name: str, word: str, by: str) -> Forged:
    """A kept history in which `word` reads `by` in every value: arguments, outputs, labels, records."""

    def replaced(text: str) -> str:
        return text.replace(word, by)

    forged = Forged(name)
    for event in forged.events:
        said = attributes(event)
        for key in ("input", "result"):
            if "payloads" in said.get(key, {}):
                with value(said[key]) as content:
                    _spoil(content, replaced)
        for marked in said.get("details", {}).values() if "markerName" in said else ():
            with value(marked) as content:
                _spoil(content, replaced)
    return forged


def _spoil(content: Any, replaced: Callable[[str], str]) -> None:
    """Change the strings in an object or a list, in place."""
    if not isinstance(content, dict | list):
        return
    parts = cast("dict[Any, Any]", content) if isinstance(content, dict) else None
    items = parts.items() if parts is not None else enumerate(cast("list[Any]", content))
    for key, part in list(items):
        if isinstance(part, str):
            content[key] = replaced(part)
        else:
            _spoil(part, replaced)


@pytest.mark.parametrize("name", ["hit", "miss", "discarded", "early_approval", "breadth"])
async def test_markup_in_outputs_prompts_and_labels_is_text(name: str) -> None:
    """It can be read on the page, and does nothing."""
    html = await page(spoiled(name, "billing", MARKUP).history())

    assert MARKUP in check(html).words


async def test_markup_in_names_and_signals_is_text() -> None:
    """Of nodes in a workflow of a user's own, of workflows, of people and in their notes."""
    forged = spoiled("own_workflow", "draft", MARKUP)
    for event in forged.of_type("ACTIVITY_TASK_SCHEDULED"):
        said = attributes(event)
        said["activityId"] = said["activityId"].replace("draft", MARKUP)
    started = attributes(forged.events[0])
    started["workflowId"] = started["workflowType"]["name"] = MARKUP
    with value(attributes(forged.signal())["input"]) as approval:
        approval |= {"by": MARKUP, "note": MARKUP}

    words = check(await page(forged.history())).words

    assert words.count(MARKUP) > 6


@settings(max_examples=30)
@given(hostile)
async def test_no_text_leaves_its_place(pieces: list[str]) -> None:
    """Whatever it is made of; and what cannot be seen is written out."""
    text = "".join(pieces)

    html = await page(spoiled("hit", "billing", text).history())

    assert not {"\u202e", "\x00"} & set(check(html).words)


async def test_a_page_asks_for_nothing() -> None:
    """No address is in it that a browser would fetch, and it forbids itself to."""
    html = await page(Forged("hit").history())

    assert "default-src 'none'" in html
    assert not re.search(r"src=|url\(|@import|<link|<script", html)


@settings(max_examples=60)
@given(data=st.data())
async def test_no_value_in_a_payload_breaks_a_page(data: st.DataObject) -> None:
    """Anything may stand anywhere: a page is made of it, of a run and of a workload."""
    history = garbled(data).history()

    check(await page(history))
    check(workload_page(workload([await sample_of(history)])))
