"""The documentation holds: links lead somewhere, commands parse, and what it shows can be run."""

from __future__ import annotations

import json
import re
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from forerun.activities.prices import PriceBook
from forerun.speculation.approvals import ApprovalSignal, parse_signal
from forerun.speculation.rule import break_even
from forerun.workers.assembly import assemble
from forerun.workers.cli.app import app
from forerun.workers.settings import Settings
from forerun.workers.standin.rules import parse_rules
from forerun.workflows.spec import (
    check_operations,
    parse_spec,
    spec_schema,
    unsupported_features,
)
from tests.documents import (
    PAGES,
    ROOT,
    SHELL,
    Block,
    all_blocks,
    anchors,
    blocks,
    commands,
    links,
    spoken,
)
from tools import spec_reference

CLI: Any = typer.main.get_command(app)
TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
PROGRAMS = {"cd", "curl", "echo", "export", "git", "pip", "psql", "python", "sqlite3", "temporal"}
LANGUAGES = {SHELL, "json", "python", "text"}

on_each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def parse_command(words: list[str]) -> None:
    """Let the command line's own parser read `words`, without running anything.

    Raises:
        click.UsageError: there is no such command, or it does not take these arguments.
    """
    name, *arguments = words
    if name not in CLI.commands:
        raise click.UsageError(f"forerun {name}")
    CLI.commands[name].make_context(name, arguments)


@on_each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file of this repository, and to a heading that it has."""
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@on_each_page
def test_what_is_typed_can_be_typed(page: Path) -> None:
    """Every command has its form, every target of make is there; nothing else is typed."""
    for block in blocks(page):
        for program, *rest in block.commands:
            name = Path(program).name
            if name == "forerun":
                parse_command(rest)
            elif name == "make":
                assert {word for word in rest if "=" not in word} <= TARGETS, block.where
            else:
                assert "=" in program or name in PROGRAMS, block.where


@on_each_page
def test_the_temporal_cli_takes_what_is_typed(page: Path, temporal_cli: Path) -> None:
    """It refuses a command or an option that it does not have even where it is asked for help."""
    for block in blocks(page):
        for program, *rest in block.commands:
            if Path(program).name == "temporal":
                asked = [str(temporal_cli), *rest, "--help"]
                done = subprocess.run(asked, capture_output=True, text=True, check=False)
                assert done.returncode == 0, (block.where, done.stderr)


@on_each_page
def test_what_is_named_in_a_sentence_is_there(page: Path) -> None:
    """A command of forerun or make, even where its arguments are only described."""
    for code in spoken(page):
        if code.startswith(("forerun ", "make ")):
            for program, *rest in commands(code):
                known = CLI.commands.keys() if program == "forerun" else TARGETS
                assert rest[0] in known, code


@on_each_page
def test_every_block_says_what_it_is(page: Path) -> None:
    """In a language that one of these tests reads."""
    assert {block.language for block in blocks(page)} <= LANGUAGES


@pytest.mark.parametrize("block", all_blocks("json"), ids=lambda block: block.where)
def test_json_is_what_it_is_shown_as(block: Block, tmp_path: Path) -> None:
    """A spec that this version runs, rules for the stand-in, prices, or a signal."""
    match json.loads(block.text):
        case {"version": _, "nodes": _} as raw:
            spec = parse_spec(raw)
            assert unsupported_features(spec) is None
            check_operations(spec, assemble(Settings.from_env({})).registry.cards)
        case [{"match": _}, *_]:
            parse_rules(block.text)
        case {"node": _, **signal}:
            assert isinstance(parse_signal("approve", {"node": "x", **signal}), ApprovalSignal)
        case prices:
            assert prices
            path = tmp_path / "prices.json"
            path.write_text(block.text)
            PriceBook(path)


@pytest.mark.parametrize("block", all_blocks("python"), ids=lambda block: block.where)
def test_python_is_python(block: Block) -> None:
    """What can also be run is run in `test_docs_run`."""
    compile(block.text, block.where, "exec")


def test_the_spec_reference_is_current() -> None:
    """Its tables are those of the schema."""
    written = spec_reference.PAGE.read_text(encoding="utf-8")

    assert spec_reference.rendered(written) == written, "make reference"


def test_every_key_of_a_spec_is_described() -> None:
    """And so is every kind of object in one."""
    schema = spec_schema()
    for name, shape in {"Spec": schema, **schema["$defs"]}.items():
        assert shape["description"], name
        for key, value in shape["properties"].items():
            assert value.get("description"), f"{name}.{key}"


def test_the_break_even_table_is_worked_out() -> None:
    """Each percentage follows from the rule, at C = $0.0021."""
    page = (ROOT / "docs" / "operators.md").read_text()
    rows = re.findall(r"^\| λ = \$([\d.]+), α = ([\d.]+) \|(.*)\|$", page, re.MULTILINE)
    assert len(rows) == 4
    for usd, alpha, cells in rows:
        for seconds, cell in zip(("0.5", "2", "5"), cells.split("|"), strict=True):
            gain = Decimal(usd) * Decimal(seconds)
            p = break_even(gain_usd=gain, cost_usd=Decimal("0.0021"), alpha=Decimal(alpha))
            assert cell.strip() == ("never" if p > 1 else f"{p * 100:.0f} %")
