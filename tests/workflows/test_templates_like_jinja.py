"""The language that templates share with Jinja2 means what it means there."""

from __future__ import annotations

from typing import Any, cast

import pytest
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from forerun.workflows.template_filters import FILTERS, TESTS
from forerun.workflows.template_values import as_text
from forerun.workflows.templates import Template

VALUES: dict[str, Any] = {
    "input": {
        "email": "It crashes",
        "n": 3,
        "price": 2.5,
        "none": None,
        "yes": True,
        "numbers": [3, 1, 2],
        "object": {"b": 1, "a": {"c": [True, None]}},
        "people": [{"name": "bo", "age": 7}, {"name": "Al", "age": 5}],
        "_id": "x1",
    },
    "classify": "bug",
}


LIKE_JINJA = [
    "{{ classify }} and {{ input.email | upper }}",
    "{% if input.n > 2 %}big{% elif input.n %}small{% else %}none{% endif %}",
    "{% for x in input.numbers %}{{ loop.index }}/{{ loop.length }}:{{ x }}{% if not loop.last %},{% endif %}{% endfor %}",
    "{% for x in input.numbers if x > 1 %}{{ x }}{{ loop.first }}{% else %}-{% endfor %}",
    "{% for x in input.numbers if x > 9 %}{{ x }}{% else %}nothing{% endfor %}",
    "{% for a in [[1, 2], [3, 4]] %}{% for b in a %}{{ b }}{{ loop.revindex0 }}{% endfor %};{% endfor %}",
    "{% for a, b in [[1, 2], [3, 4]] %}{{ a - b }}{% endfor %}",
    "{% set x = input.n + 1 %}{{ x }}{% if true %}{% set x = 9 %}{% endif %}{{ x }}",
    "{% set x = 1 %}{% for i in [1, 2] %}{% set x = i %}{{ x }}{% endfor %}{{ x }}",
    "{% set a, b = [1, 2] %}{{ a }}{{ b }}",
    "{% raw %}{{ x }}{% endraw %}\n",
    "  {%- if true -%}  x  {%- endif -%}  ",
    "{{ 'a' if input.yes else 'b' }}{{ nope | default('z') }}{{ '' | d('y', true) }}",
    "{{ nope is defined }}{{ classify is not undefined }}{{ input.n is odd and not false }}",
    "{{ input.n is divisibleby(3) }}{{ 2 is in(input.numbers) }}{{ input.object is mapping }}",
    "{{ 1 < 2 <= 2 != 3 }}{{ 'u' in classify }}{{ 9 not in input.numbers }}{{ 'a' in input.object }}",
    "{{ 'x' ~ input.n ~ 'y' }}{{ 7 // 2 }}{{ -input.n + 1 }}{{ +1 }}{{ 'ab' + 'cd' }}",
    "{{ input.numbers | sort | join('-') }}{{ input.numbers | sort(reverse=true) | first }}",
    "{{ input.people | map(attribute='name') | join(', ') }}{{ input.people | sum('age') }}",
    "{{ input.people | sort(attribute='name') | map(attribute='age') | join }}",
    "{{ ['b', 'A', 'a', 'B'] | unique | join }}{{ ['b', 'A'] | sort | join }}{{ ['b', 'A'] | max }}",
    "{{ input.people | max(attribute='age') | length }}{{ input.numbers | min }}",
    "{{ 'a-b c' | title }}{{ 'hELLO x' | capitalize }}{{ ' x ' | trim }}{{ 'xyx' | trim('x') }}",
    "{{ 'one two three' | truncate(9) }}{{ 'one two three' | truncate(9, true, '…', 0) }}",
    "{{ 'abc' | replace('b', 'XX') }}{{ 'aaa' | replace('a', 'b', 2) }}{{ 'abc' | reverse }}",
    "{{ '42.9' | int }}{{ 'x' | int(5) }}{{ '1.5' | float }}{{ 2.567 | round(1) }}{{ -3 | abs }}",
    "{{ 'a\nb\n\nc' | indent(2) }}{{ 'a\nb' | indent(1, true) }}{{ 'one two' | wordcount }}",
    "{{ input.numbers | length }}{{ classify | count }}{{ input.numbers | last }}{{ [1, 2] | list }}",
    "{{ input.numbers[1:] }}{{ classify[::-1] }}{{ input.numbers[-1] }}{{ classify[0] }}",
    "{{ input.yes and input.n }}{{ none or 'x' }}{{ not input.n }}{{ 'é\\n\u2028' | lower }}",
]


class TestLikeJinja2:
    @pytest.mark.parametrize("text", LIKE_JINJA)
    def test_the_shared_language_means_what_it_means_in_jinja2(self, text: str) -> None:
        """Jinja2's own sandbox, writing values as we do, gives the same text."""

        def written(value: Any) -> Any:
            return value if isinstance(value, StrictUndefined) else as_text(_plain(value))

        environment = ImmutableSandboxedEnvironment(
            undefined=StrictUndefined, finalize=written, keep_trailing_newline=True
        )

        ours = Template.parse(text + " ", "p").render(VALUES)

        assert ours == environment.from_string(text + " ").render(VALUES)

    def test_every_filter_and_test_is_one_of_jinja2s(self) -> None:
        """Nobody has to learn a name of ours."""
        environment = ImmutableSandboxedEnvironment()

        assert set(FILTERS) <= set(environment.filters)
        assert set(TESTS) <= set(environment.tests)


def _plain(value: Any) -> Any:
    """JSON for what Jinja2 hands out: its tuples and generators are lists."""
    if value is None or isinstance(value, str | int | float | dict):
        return cast("Any", value)
    return [*value]
