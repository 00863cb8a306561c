"""Templates: Jinja2's language on JSON values, and nothing that reaches further or runs longer."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forerun.speculation.canonical import canonical, canonical_json
from forerun.workflows.spec_errors import SpecError
from forerun.workflows.templates import RenderError, Template, compile_args, is_constant
from tests.workflows.test_templates_like_jinja import VALUES


def rendered(text: str, values: dict[str, Any] = VALUES) -> Any:
    return Template.parse(text, "nodes.a.prompt").render(values)


class TestValues:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("{{ input.numbers }}", [3, 1, 2]),
            ("{{ input['object'].a }}", {"c": [True, None]}),
            ("{{- input.n -}}", 3),
            ("{{ input.none }}{# a comment #}", None),
            ("{{ classify == 'bug' }}", True),
            ("{{ input.n / 2 }}", 1.5),
            ("{{ 4 / 2 }}", 2),
            ("{{ input.numbers[0] }}", 3),
            ("{{ [input.n, {'k': classify}] }}", [3, {"k": "bug"}]),
            ("{{ 1, 2 }}", [1, 2]),
            ("{{ input['_id'] }}", "x1"),
        ],
    )
    def test_exactly_one_expression_passes_its_value_with_its_type(
        self, text: str, value: Any
    ) -> None:
        """Not its text: `[3, 1, 2]` arrives as a list."""
        result = rendered(text)

        assert (type(result), result) == (type(value), value)

    @pytest.mark.parametrize(
        ("text", "written"),
        [
            ("a {{ input.object }}", 'a {"a":{"c":[true,null]},"b":1}'),
            ("{{ input.yes }} {{ input.none }} {{ input.n }}", "true null 3"),
            (" {{ input.numbers }}", " [3,1,2]"),
            ("{{ input.price }}|{{ classify }}", "2.5|bug"),
            ("{{ 'Å' }} e\u0301", "Å é"),
        ],
    )
    def test_anywhere_else_a_value_is_written_as_canonical_json(
        self, text: str, written: str
    ) -> None:
        """Text as it is, everything else as the one spelling that fingerprints use."""
        assert rendered(text) == written

    def test_a_field_named_like_a_method_is_the_field(self) -> None:
        """`keys.items` is what the author put there, never `dict.items`."""
        assert rendered("{{ input.keys.items }}", {"input": {"keys": {"items": 1}}}) == 1

    def test_text_without_a_template_is_passed_on_as_it_is(self) -> None:
        """Not even its line ends change."""
        assert rendered("}} 100 % {x}\r\n") == "}} 100 % {x}\r\n"

    def test_a_final_newline_is_kept(self) -> None:
        """Jinja2 drops it by default; a prompt is sent unchanged."""
        assert rendered("{{ classify }}!\n") == "bug!\n"

    def test_objects_equal_as_canonical_json_render_equally(self) -> None:
        """A loop over an object goes by sorted keys, whatever order they came in."""
        text = "{% for k in input %}{{ k }}{% endfor %} {{ input | items | join }}"

        assert rendered(text, {"input": {"b": 1, "a": 2}}) == rendered(
            text, {"input": {"a": 2, "b": 1.0}}
        )


FAILING = [
    ("{{ input.emial }}", "input has no field 'emial' (fields: _id, email, n"),
    ("{{ input.email.x }}", "input.email is a text of 10 characters, it has no field 'x'"),
    ("{{ input.people[7].name }}", "input.people is a list of 2, it has no item 7"),
    ("{{ escalate }}", "escalate has no value"),
    ("{{ not escalate }}", "escalate has no value"),
    ("{{ escalate.text is defined }}", "escalate has no value"),
    ("{{ input['__class__'] }}", "input has no field '__class__'"),
    ("{{ classify['__class__'] }}", "it has no field '__class__'"),
    ("{{ classify['upper'] }}", "it has no field 'upper'"),
    ("{{ input.people | map(attribute='__class__') }}", "no field '__class__'"),
    ("{{ input.people | sort(attribute='name.__len__') }}", "no field '__len__'"),
    ("{{ 1 / 0 }}", "division by zero"),
    ("{{ classify + 1 }}", "a text of 3 characters is not a number"),
    ("{{ input.yes + 1 }}", "true is not a number"),
    ("{{ 1 < 'a' }}", "not supported"),
    ("{{ 1 in 2 }}", "not iterable"),
    ("{{ 'a' if false }}", "an inline if without else came out false"),
    ("{{ [] | first }}", "is a list of 0"),
    ("{{ 1e999 }}", "is not a JSON number"),
    ("{{ '\\ud800' }}", "surrogates not allowed"),
    ("{{ {1: 2} }}", "is not text"),
    ("{{ {}[[]] }}", "no field"),
    ("{% for x in 'abc' %}{% endfor %}", "is not a list"),
    ("{% for a, b in input.numbers %}{% endfor %}", "can't be taken apart into 2"),
    ("{{ classify[::0] }}", "slice step"),
    ("{{ input[1:] }}", "can't be sliced"),
    ("{{ input.n | upper }}", "is not text"),
    ("{{ input.numbers | items }}", "is not an object"),
]


class TestFailures:
    @pytest.mark.parametrize(("text", "words"), FAILING)
    def test_a_template_without_a_value_says_why(self, text: str, words: str) -> None:
        """With its path, on one line, and without a traceback of ours in it."""
        with pytest.raises(RenderError) as caught:
            rendered(text)

        assert str(caught.value).startswith("nodes.a.prompt: ")
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)


class TestArguments:
    def test_templates_are_filled_in_at_any_depth_and_keys_are_literal(self) -> None:
        """The rest of the arguments passes as it is."""
        args = compile_args(
            {"{{ k }}": ["{{ classify }}", {"n": "{{ input.n }}"}, 1.0, None], "s": "x"}, "a"
        )

        assert args.render(VALUES) == {"{{ k }}": ["bug", {"n": 3}, 1, None], "s": "x"}
        assert [template.path for template in args.templates] == [
            "a['{{ k }}'][0]",
            "a['{{ k }}'][1].n",
        ]

    def test_constants_have_no_template_anywhere(self) -> None:
        """What is constant can be checked before the run starts."""
        assert is_constant({"a": ["x", {"b": 1}]})
        assert not is_constant({"a": ["x", {"b": "{# #}"}]})


WORDS = """{{ }} {% %} {# #} if else endif for in endfor set = input.n input classify x . _ [ ] ( )
    { } 'a' "b" 1 2.5 + - * / // ** % ~ | upper join default is defined not and or , : < == true
    loop.index \\ é raw endraw include macro"""
PIECES = st.sampled_from(WORDS.split())
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=14).map(" ".join), JSON)
def test_any_text_is_refused_or_fails_or_renders_canonical_json(text: str, value: Any) -> None:
    """No other exception leaves a template, whatever it and its values are."""
    with suppress(SpecError, RenderError):
        result = Template.parse(text, "p").render({"input": value, "classify": "bug"})

        assert result == canonical(result)


@given(JSON)
def test_a_value_passed_and_a_value_written_are_the_same_canonical_json(value: Any) -> None:
    """`{{ x }}` and `<{{ x }}>` differ in type only."""
    passed = rendered("{{ x }}", {"x": value})
    written = rendered("<{{ x }}>", {"x": value})

    assert passed == canonical(value)
    assert written == f"<{value if isinstance(value, str) else canonical_json(value)}>" or (
        json.loads(written[1:-1]) == passed
    )
