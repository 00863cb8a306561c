"""Writes the tables of docs/spec.md, from the spec's JSON Schema and the words of templates.

    python -m tools.spec_reference            # or `make reference`
    python -m tools.spec_reference --check    # exits with 1 if the committed page is not current

The prose around the tables is written by hand: between `<!-- begin NAME -->` and `<!-- end -->`
stands what is made here, and everything else stays as it is.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from forerun.workers.assembly import assemble
from forerun.workers.settings import Settings
from forerun.workflows.spec import spec_schema
from forerun.workflows.spec_guesses import GUESS_SOURCES
from forerun.workflows.template_filters import FILTERS, TESTS

PAGE = Path(__file__).parents[1] / "docs" / "spec.md"

Schema = Mapping[str, Any]

_PART = re.compile(r"(<!-- begin (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main(arguments: list[str]) -> int:
    """Write the page, or only look whether it is current."""
    written = PAGE.read_text(encoding="utf-8")
    current = rendered(written)
    if arguments == ["--check"]:
        if written != current:
            print(f"{PAGE} is not current: make reference", file=sys.stderr)
        return int(written != current)
    PAGE.write_text(current, encoding="utf-8")
    return 0


def rendered(page: str) -> str:
    """`page` with every generated part made anew.

    Raises:
        KeyError: it asks for a part that is not made here.
    """
    parts = _parts(spec_schema())
    return _PART.sub(lambda found: f"{found[1]}{parts[found[2]]}\n{found[3]}", page)


def _parts(schema: Schema) -> dict[str, str]:
    shapes = schema["$defs"]
    guesses = (_section(shapes[f"{source.title()}Guess"], source) for source in GUESS_SOURCES)
    return {
        "spec": _keys(schema),
        "policy": _keys(shapes["PolicySpec"]),
        "nodes": _keys(shapes["EffectNode"], only=_shared(shapes)),
        **{kind: _node(shapes, kind) for kind in ("model", "tool", "effect")},
        "estimate": _described(shapes["Estimate"]),
        "guesses": "\n\n".join(guesses),
        **{kind: _operations(kind) for kind in ("tools", "effects")},
        "filters": ", ".join(f"`{name}`" for name in sorted(FILTERS)),
        "tests": ", ".join(f"`{name}`" for name in sorted(TESTS)),
    }


def _shared(shapes: Schema) -> list[str]:
    """The keys of every node, in the order of the schema."""
    first, *others = (shapes[f"{kind}Node"]["properties"] for kind in ("Model", "Tool", "Effect"))
    return [key for key in first if all(key in keys for keys in others)]


def _node(shapes: Schema, kind: str) -> str:
    shape = shapes[f"{kind.title()}Node"]
    own = [key for key in shape["properties"] if key not in _shared(shapes)]
    return f"{_flat(shape['description'])}\n\n{_keys(shape, only=own)}"


def _operations(kind: str) -> str:
    """The built-in ones that nodes of this kind may name."""
    cards = assemble(Settings.from_env({})).registry.cards.values()
    rows = [
        f"| `{card.name}` | {card.effect} | {_arguments(card.arguments)} |"
        for card in cards
        if card.effect.is_tool is (kind == "tools")
    ]
    return "\n".join(["| operation | class | arguments |", "|---|---|---|", *rows])


def _arguments(schema: Schema) -> str:
    required = schema.get("required", ())
    names = (name if name in required else f"{name}?" for name in schema["properties"])
    return ", ".join(f"`{name}`" for name in names)


def _section(shape: Schema, source: str) -> str:
    return f"### `{source}`\n\n{_described(shape)}"


def _described(shape: Schema) -> str:
    return f"{_flat(shape['description'])}\n\n{_keys(shape)}"


def _flat(text: str) -> str:
    """A docstring in Markdown: paragraphs stay, line ends within them don't."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _keys(shape: Schema, only: list[str] | None = None) -> str:
    properties: Schema = shape["properties"]
    rows = [
        f"| `{name}` | {_type(key)} | {_default(shape, name)} | {key['description']} |"
        for name, key in properties.items()
        if only is None or name in only
    ]
    return "\n".join(["| key | value | default | |", "|---|---|---|---|", *rows])


def _default(shape: Schema, name: str) -> str:
    if name in shape.get("required", ()):
        return "required"
    default = shape["properties"][name].get("default")
    return "" if default is None or isinstance(default, dict | list) else f"`{json.dumps(default)}`"


def _type(key: Schema) -> str:
    """What may stand there, in words."""
    if "const" in key:
        return f"`{json.dumps(key['const'])}`"
    if "$ref" in key:
        return _link(key["$ref"])
    if "anyOf" in key:
        return _union(key)
    match key.get("type"):
        case "array":
            return f"list of {_items(key['items'])}"
        case "object" if "patternProperties" in key:
            return f"object of {_items(*key['patternProperties'].values())}"
        case "integer" | "number" as kind:
            return ", ".join([kind, *_bounds(key)])
        case "string":
            return "text"
        case None:
            return "any JSON"
        case kind:
            return str(kind)


def _union(key: Schema) -> str:
    kinds = [kind for kind in key["anyOf"] if kind.get("type") != "null"]
    if {kind.get("type") for kind in kinds} == {"number", "string"}:
        return ", ".join(["decimal", *_bounds(key)])
    return " or ".join(_type(kind) for kind in kinds)


def _items(shape: Schema) -> str:
    if "oneOf" not in shape:
        return {"text": "texts"}.get(_type(shape), _type(shape))
    return "[guesses](#guesses)" if "Guess" in str(shape["oneOf"]) else "[nodes](#nodes)"


def _bounds(key: Schema) -> Iterator[str]:
    """The range of a number."""
    if "minimum" in key and "maximum" in key:
        yield f"{_figure(key['minimum'])} to {_figure(key['maximum'])}"
        return
    for name, words in _WORDS.items():
        if name in key:
            yield f"{words} {_figure(key[name])}"


def _figure(value: Any) -> str:
    return f"{int(value):,}" if value == int(value) else str(value)


def _link(reference: str) -> str:
    name = reference.rpartition("/")[2].removesuffix("Spec").lower()
    return f"[{name}](#{name})"


_WORDS = {
    "minimum": "from",
    "exclusiveMinimum": "above",
    "maximum": "up to",
    "exclusiveMaximum": "below",
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
