"""What templates may contain, and how much work they may make."""

from __future__ import annotations

from functools import reduce
from typing import Any

import pytest

from forerun.workflows.spec_errors import SpecError
from forerun.workflows.template_values import MAX_OUTPUT
from forerun.workflows.templates import RenderError, Template, compile_args

VALUES: dict[str, Any] = {
    "input": {"numbers": [3, 1, 2]},
    "classify": "bug",
    "many": ["x" * 50] * 20_000,
}


REFUSED = [
    ("{{ input.email.upper() }}", "a call"),
    ("{{ ''.join(input.numbers) }}", "a call"),
    ("{{ '{0.__class__}'.format(1) }}", "a call"),
    ("{{ input.email.format_map({}) }}", "a call"),
    ("{{ range(9) }}", "a call"),
    ("{{ cycler('a') }}", "a call"),
    ("{{ lipsum() }}", "a call"),
    ("{{ namespace(x=1) }}", "a call"),
    ("{{ loop(1) }}", "a call"),
    ("{{ input.__class__ }}", "'__class__'"),
    ("{{ input.email.__class__.__mro__ }}", "'__mro__'"),
    ("{{ input._private }}", "'_private'"),
    ("{{ input.a | attr('__class__') }}", "unknown filter 'attr'"),
    ("{{ '%s' | format('x') }}", "unknown filter 'format'"),
    ("{{ input.numbers | random }}", "unknown filter 'random'"),
    ("{{ input.numbers | map('attr', 'x') }}", "'map'"),
    ("{{ input.numbers | uper }}", "unknown filter 'uper'"),
    ("{{ input is callable }}", "unknown test 'callable'"),
    ("{{ input is defind }}", "did you mean 'defined'?"),
    ("{{ input.numbers | join('a', 'b', 'c') }}", "'join'"),
    ("{{ input.numbers | join(sep='x') }}", "'join'"),
    ("{{ input.numbers | join(*input.numbers) }}", "an argument with *"),
    ("{{ 2 * 3 }}", "the operator *"),
    ("{{ 'x' * 99999999 }}", "the operator *"),
    ("{{ 2 ** 9999 }}", "the operator **"),
    ("{{ '%999999999d' % 1 }}", "the operator %"),
    ("{% macro m() %}{{ m() }}{% endmacro %}", "{% macro %}"),
    ("{% call(x) input() %}{% endcall %}", "{% call %}"),
    ("{% filter upper %}x{% endfilter %}", "{% filter %}"),
    ("{% include 'secrets' %}", "{% include %}"),
    ("{% import 'os' as os %}", "{% import %}"),
    ("{% from 'os' import path %}", "{% from %}"),
    ("{% extends 'base' %}", "{% extends %}"),
    ("{% block b %}{% endblock %}", "{% block %}"),
    ("{% with x = 1 %}{% endwith %}", "{% with %}"),
    ("{% autoescape true %}{% endautoescape %}", "{% autoescape %}"),
    ("{% set x %}block{% endset %}", "a block of {% set %}"),
    ("{% set input.x = 1 %}", "an attribute of a namespace"),
    ("{% for x in input.numbers recursive %}{% endfor %}", "a recursive loop"),
    (
        "{% for a in input %}{% for b in a %}{% for c in b %}{% endfor %}{% endfor %}{% endfor %}",
        "a loop in two loops",
    ),
    ("{% do x %}", "unknown tag 'do'"),
    ("{{ input", "unexpected end of template"),
    ("{{ }}", "Expected an expression"),
    ("{% if input %}", "Unexpected end of template"),
    ("{{ " + "9" * 5000 + " }}", "digits"),
    ("{{ " + "(" * 25 + "1" + ")" * 25 + " }}", "20 brackets deep"),
    ("{{ " + "not " * 5000 + "1 }}", "deeper than 50"),
    ("{{ " + "1 + " * 60 + "1 }}", "deeper than 50"),
    ("{% if 1 %}" * 300 + "{% endif %}" * 300, "deeper than 50"),
    ("{{ input }}" * 3000, "more than 5,000 parts"),
]


class TestRules:
    @pytest.mark.parametrize(("text", "words"), REFUSED)
    def test_what_templates_may_not_contain_is_refused_at_start(
        self, text: str, words: str
    ) -> None:
        """With the path, what it is, and a fix, on one line."""
        with pytest.raises(SpecError) as caught:
            Template.parse(text, "nodes.a.prompt")

        message = str(caught.value)
        assert message.startswith("nodes.a.prompt: ")
        assert words in message
        assert "; fix: " in message
        assert "\n" not in message
        assert len(message) < 1000

    @pytest.mark.parametrize(
        "text",
        ["billing", "classify == 'bug'", "{{ a }} and {{ b }}", "{% if a %}1{% endif %}", ""],
    )
    def test_a_condition_is_exactly_one_expression(self, text: str) -> None:
        """Anything else would always be true, as a text that is not empty."""
        with pytest.raises(SpecError, match=r"is not one \{\{ expression \}\}; fix: write"):
            Template.parse_expression(text, "nodes.a.when")

    def test_space_around_a_condition_does_not_matter(self) -> None:
        """A line break at its end is no text."""
        assert Template.parse_expression(" {{ classify == 'bug' }}\n", "w").holds(VALUES)

    def test_references_are_the_names_read_but_not_bound(self) -> None:
        """In the order of first use; fields, loop variables and `loop` are none."""
        template = Template.parse(
            "{% set x = b.c %}{% for i in a %}{{ i }}{{ loop.index }}{{ x }}{{ b.d }}{% endfor %}"
            "{{ [z, {'k': y}] | join(w) }}{{ v if u is defined else t | default(s) }}",
            "p",
        )

        assert template.references == ("b", "a", "z", "y", "w", "u", "v", "t", "s")
        assert template.tolerated == {"u", "t"}

    def test_loop_outside_a_loop_is_an_ordinary_name(self) -> None:
        """So that it is reported as unknown."""
        text = "{% for i in a %}{% else %}{{ loop }}{% endfor %}"

        assert Template.parse(text, "p").references == ("a", "loop")


BOMBS = [
    "{% for a in many %}{% for b in many %}{% endfor %}{% endfor %}",
    "{% for a in many %}{% for b in many %}{{ b }}{% endfor %}{% endfor %}",
    "{% for a in many %}{% if many == many %}{% endif %}{% endfor %}",
    "{% for a in many %}{% if 'y' in many %}{% endif %}{% endfor %}",
    "{% for a in many %}{% set b = many | sort | unique %}{% endfor %}",
    "{% for a in many if many | join %}{% endfor %}",
    "{{ many | join(many | join) }}",
    "{{ 'x' | replace('', many | join) | replace('x', many | join) }}",
    "{{ many | join('\\n') | indent(1000) }}",
    "{{ many | join | indent('x' | indent(1000, true)) }}",
    "{{ many }}",
    "text {{ many }}",
    "{{ many ~ many }}",
    "{{ 'x' | indent(99999999999, true) }}",
    "{{ 1.5 | round(-99999999) }}",
    "".join(["{% set a = many %}", *["{% set a = [a, a] %}"] * 60, "{{ a }}"]),
    "".join(["{% set a = many %}", *["{% set a = a + a %}"] * 60, "{{ a | length }}"]),
    "".join(["{% set a = 'xxxxxxxx' %}", *["{% set a = a ~ a %}"] * 60, "{{ a | length }}"]),
    "".join(["{% set a = 'xxxxxxxx' %}", *["{% set a = a + a %}"] * 60, "{{ a }}"]),
    "{% for a in many %}" + "y" * 1000 + "{% endfor %}",
]


class TestBounds:
    @pytest.mark.parametrize("text", BOMBS)
    def test_a_bomb_ends_in_a_render_error(self, text: str) -> None:
        """Soon, and with a reason: work is counted before it is done."""
        with pytest.raises(RenderError, match=r"p: .*(steps|bytes|characters|whole number)"):
            Template.parse(text, "p").render(VALUES)

    def test_the_templates_of_a_node_share_their_steps(self) -> None:
        """A bomb in a thousand small arguments is still one bomb."""
        loop = "{% for a in many %}{% if a == 'y' %}{% endif %}{% endfor %}"
        args = compile_args({str(i): loop for i in range(5)}, "args")

        with pytest.raises(RenderError, match="steps"):
            args.render({"many": [1] * 10_000})

    def test_output_of_exactly_the_limit_is_let_through(self) -> None:
        """The limit is in bytes of UTF-8."""
        assert (
            len(Template.parse("{{ x }}", "p").render({"x": "é" * (MAX_OUTPUT // 2)}))
            == MAX_OUTPUT // 2
        )
        with pytest.raises(RenderError, match="bytes"):
            Template.parse("{{ x }}.", "p").render({"x": "é" * (MAX_OUTPUT // 2)})

    def test_arguments_are_bounded_together(self) -> None:
        """Two that fit may not fit together."""
        args = compile_args({"a": "{{ x }}", "b": ["{{ x }}"]}, "nodes.a.args")

        with pytest.raises(RenderError, match=r"^nodes\.a\.args: comes to more than"):
            args.render({"x": "y" * (MAX_OUTPUT // 2)})

    def test_a_value_nested_without_end_is_a_render_error(self) -> None:
        """A model's JSON may be as deep as it likes."""
        deep: Any = reduce(lambda inner, _: [inner], range(100_000), list[Any]())

        with pytest.raises(RenderError):
            Template.parse("{{ x }}", "p").render({"x": deep})
