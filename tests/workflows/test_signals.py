"""What people say of intents is kept, bounded and shown, whatever it is; none of it raises."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from forerun.activities.intent import Intent
from forerun.speculation.approvals import LATE, Answer, Open, Waiting
from forerun.speculation.canonical import digest
from forerun.speculation.effect_class import Approval, EffectClass
from forerun.workers.converter import Unreadable
from forerun.workflows.checkpoints import Checkpoints
from forerun.workflows.signals import SHOWN, Signals

ARGUMENTS = {"to": "a@example.com"}
DIGEST = digest(ARGUMENTS)
INTENTS = ("send", "wire")

NAMES = st.sampled_from(["ann", " Ann ", "ben", "auto", "x" * 201, "a\n", ""]) | st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=6) | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
) | st.just(Unreadable("binary/encrypted", 9))
APPROVALS = st.fixed_dictionaries(
    {"node": st.sampled_from([*INTENTS, "nobody", "send[0]"]), "by": NAMES},
    optional={
        "digest": st.sampled_from([DIGEST, "0" * 64, "abc"]) | VALUES,
        "note": VALUES,
        "digset": VALUES,
    },
)
PAYLOADS = st.lists(APPROVALS | VALUES, max_size=2).map(tuple) | APPROVALS.map(lambda it: (it,))
STEPS = st.lists(
    st.tuples(st.sampled_from(["approve", "reject"]), PAYLOADS)
    | st.tuples(st.sampled_from(["open", "over"]), st.sampled_from(INTENTS)),
    max_size=25,
)


def intent(
    name: str = "send", approval: Approval = Approval.REQUIRED, approvals: int = 1
) -> Intent:
    return Intent(
        intent=name,
        operation="outbox.put",
        version="1",
        arguments=ARGUMENTS,
        digest=DIGEST,
        approval=approval,
        effect=EffectClass.IRREVERSIBLE,
        approvals=approvals,
    )


class House:
    """The signals of a run whose intents come and go."""

    def __init__(self) -> None:
        self.signals = Signals()
        self.known: dict[str, Intent] = {}
        self.waiting: set[str] = set()

    def say(self, answer: Answer, *payloads: Any) -> None:
        self.signals.receive(answer, payloads, waiting=self.waiting, known=self.known)

    def open(self, name: str, made: Intent | None = None) -> None:
        if name not in self.known:
            self.known[name] = made or intent(name)
            self.waiting.add(name)

    def over(self, name: str) -> Any:
        if name in self.waiting:
            self.waiting.discard(name)
            return self.signals.over(self.known[name])
        return None

    def view(self) -> dict[str, Any]:
        return self.signals.view(self.known)


@given(STEPS)
def test_any_signals_in_any_order_are_each_counted_once(steps: list[Any]) -> None:
    """Early, counted, ignored, late or malformed: exactly one of them, and all of it is JSON."""
    house, said = House(), 0
    for what, about in steps:
        if what == "open":
            house.open(about)
        elif what == "over":
            house.over(about)
        else:
            house.say(what, *about)
            said += 1

    for name in INTENTS:
        house.open(name)
    view = house.view()
    counted = 0
    for name in list(house.waiting):
        gate = house.signals.gate(house.known[name])
        shown = [it.signal for it in gate.ignored]
        assert all(signal.intent == name for signal in shown)
        house.over(name)
    late = house.view()["late_count"]
    counted = said - view["early_count"] - view["malformed_count"] - late
    assert 0 <= counted <= len(INTENTS)  # one decision each, and all of them is said of somewhere
    assert to_json(house.view(), inf_nan_mode="constants")


@given(STEPS)
def test_no_signal_opens_a_gate_but_a_fit_approval(steps: list[Any]) -> None:
    """An exact gate opens by a signal that names the digest, and by nothing else."""
    house = House()
    for what, about in steps:
        if what in ("approve", "reject"):
            house.say(what, *about)

    gate = house.signals.gate(intent(approval=Approval.EXACT))

    named = [p[0] for _, p in steps if len(p) == 1 and isinstance(p[0], dict)]
    fit = any(it.get("digest") == DIGEST and it.get("node") == "send" for it in named)
    assert fit or not isinstance(gate, Open)


def test_duplicates_and_contradictions_are_shown_with_why() -> None:
    """The first decision wins; what comes early, twice, or too late stays to be seen."""
    house = House()
    house.say("approve", {"node": "send", "by": "ann"})
    house.say("approve", {"node": "send", "by": "ann"})
    house.say("approve", {"node": "send", "by": "wim", "digest": "0" * 64})
    house.say("reject", {"node": "send", "by": "bob"})
    assert house.view()["early_count"] == 4

    house.open("send")
    assert isinstance(house.over("send"), Open)
    house.say("reject", {"node": "send", "by": "eve"})

    view = house.view()
    assert view["early"] == []
    assert [(it["signal"], it["by"]) for it in view["late"]] == [
        ("approve", "ann"),
        ("approve", "wim"),
        ("reject", "bob"),
        ("reject", "eve"),
    ]
    assert {it["why"] for it in view["late"]} == {LATE}


def test_what_did_not_count_keeps_its_reason() -> None:
    """One of two people, then a rejection; and a gate that expired after one of two."""
    two = intent(approvals=2)
    for last, expected in (("reject", ["0"]), ("approve", ["0"])):
        house = House()
        house.open("send", two)
        house.say("approve", {"node": "send", "by": "0", "digest": "0" * 64})
        house.say("approve", {"node": "send", "by": "ann"})
        if last == "reject":
            house.say("reject", {"node": "send", "by": "bob"})
        else:
            assert isinstance(house.signals.gate(two), Waiting)
        house.over("send")

        assert [it["by"] for it in house.view()["late"]] == expected
        assert "approves digest" in house.view()["late"][0]["why"]


def test_however_many_signals_the_view_stays_small() -> None:
    """The first of each kind, and how many there are."""
    house = House()
    house.open("send")
    house.over("send")
    for n in range(3_000):
        house.say(
            "approve", {"node": "nobody" * 30, "by": "\U0001f600" * 200, "note": "x" * 10_000}
        )
        house.say("approve", {"node": "send", "by": f"{n}"})
        house.say("approve", {"node": "n" * 1_000_000, "by": "ann"} if n < 3 else n)

    view = house.view()

    assert [len(view[kind]) for kind in ("early", "late", "malformed")] == [SHOWN] * 3
    assert {view[f"{kind}_count"] for kind in ("early", "late", "malformed")} == {3_000}
    assert len(to_json(view)) < 500_000


@given(st.lists(PAYLOADS | VALUES.map(lambda it: ({"call": "a", "value": it},)), max_size=20))
def test_any_checkpoint_is_counted(payloads: list[tuple[Any, ...]]) -> None:
    """As ignored, unless it is one of a call of this run."""
    checkpoints = Checkpoints()
    checkpoints.grant("a", output=True)

    for signal in payloads:
        assert checkpoints.receive(signal) is None

    assert checkpoints.ignored == len(payloads)
