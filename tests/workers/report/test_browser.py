"""Pages in a real browser: nothing too wide, nothing asked for, nothing complained about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from forerun.workers.report.page import workload_page
from forerun.workers.report.workload import workload
from tests.workers.report.chromium import Browser, Screen, binary, browser
from tests.workers.report.kept import history, page
from tests.workers.report.test_hostile import MARKUP, spoiled
from tests.workers.report.test_workload import samples

SCREENS = (
    Screen(width=320, height=640),
    Screen(width=390, height=844, scheme="dark"),
    Screen(width=1280, height=900),
    Screen(width=794, height=1123, media="print"),
)
PAGES = ("hit", "miss", "breadth", "fan_out", "expired", "own_workflow", "bad_spec", "wide")

CONTRAST = """
(() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const f = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b);
  };
  const behind = node => {
    for (; node; node = node.parentElement) {
      const c = parse(getComputedStyle(node).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const poor = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || node.closest("svg") || !node.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.4) poor.push(`${node.className} ${texts.currentNode.data.trim()} ${ratio}`);
  }
  return [...new Set(poor)].slice(0, 5);
})()
"""
"""Texts of less contrast than WCAG AA asks for, against the colour of the box that they stand in."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = binary()
    if path is None:
        pytest.skip("no Chromium on this machine: pages are not looked at in a browser")
    with browser(path) as found:
        yield found


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_fits_every_screen(chromium: Browser, tmp_path: Path, name: str) -> None:
    """Phone, desktop and paper, light and dark; tables may scroll, the page never does."""
    file = tmp_path / "page.html"
    file.write_text(await page(history(name)), encoding="utf-8")

    for screen in SCREENS:
        seen = chromium.look(file, screen)
        assert (seen.overflow, seen.requests, seen.complaints) == (0, [], [])
        assert "Audit" in seen.text


async def test_a_workload_fits_every_screen(chromium: Browser, tmp_path: Path) -> None:
    """Its tables scroll in boxes of their own."""
    file = tmp_path / "page.html"
    file.write_text(workload_page(workload(await samples())), encoding="utf-8")

    for screen in SCREENS:
        seen = chromium.look(file, screen)
        assert (seen.overflow, seen.requests, seen.complaints) == (0, [], [])
        assert chromium.evaluate(CONTRAST) == []


async def test_hostile_text_does_nothing_in_a_browser(chromium: Browser, tmp_path: Path) -> None:
    """It neither runs nor fetches nor widens the page, and can be read."""
    file = tmp_path / "page.html"
    forged = spoiled("hit", "billing", MARKUP + "x" * 300)
    file.write_text(await page(forged.history()), encoding="utf-8")

    seen = chromium.look(file, SCREENS[0])

    assert (seen.overflow, seen.requests, seen.complaints) == (0, [], [])
    assert chromium.evaluate("document.scripts.length + document.images.length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_can_be_read(chromium: Browser, tmp_path: Path, scheme: str) -> None:
    """In both colour schemes."""
    for name in ("miss", "fan_out", "rejected"):
        file = tmp_path / f"{name}.html"
        file.write_text(await page(history(name)), encoding="utf-8")
        chromium.look(
            file, Screen(width=1280, height=900, scheme="dark" if scheme == "dark" else "light")
        )
        assert chromium.evaluate(CONTRAST) == []
