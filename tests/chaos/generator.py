"""A run and its hardships, all from one seed: a case of the lossless proof, made dangerous.

Such a case is already a random DAG with guesses, lists and people of every manner. Here it gets more
effects, of every kind of gate, and faults. What tells runs apart for the models is a tag in front of
every prompt: all runs of a house speak to one stand-in.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from tests.chaos.faults import Fault, Refusal, draw_faults, draw_refusals
from tests.lossless.case import Case, Manner
from tests.lossless.generator import generate as generate_lossless

MORE_EFFECTS = 3
STALLED_SECONDS = 8

OPERATIONS = ("outbox.put", "chaos.put", "chaos.put", "chaos.pair", "chaos.exact")
STAGEABLE = ("drafts.put", "chaos.note", "chaos.note")
UNASKED = "chaos.auto"
MANNERS = (
    *[Manner.EARLY, Manner.ASKED, Manner.EXACT, Manner.CORRECTED] * 2,
    Manner.REFUSED,
    Manner.REFUSED_EARLY,
    Manner.SILENT,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardship:
    """A case, what befalls its run, and the rules by which its models fail at first.

    `tag` begins all its prompts; `refusals` come before the rules of the case.
    """

    tag: str
    case: Case
    faults: tuple[Fault, ...]
    refusals: tuple[Refusal, ...]

    @property
    def seed(self) -> int:
        return self.case.seed

    @property
    def drawn(self) -> list[str]:
        """The kinds of all that is to befall it."""
        refused = [
            f"provider {refusal.kind}" for refusal in self.refusals for _ in range(refusal.times)
        ]
        return [*(fault.deed.value for fault in self.faults), *refused]

    @property
    def rules(self) -> list[dict[str, Any]]:
        """All that the stand-in needs to know of this run."""
        return [*(refusal.rule(self.tag) for refusal in self.refusals), *self.case.rules]

    def refuses(self, node: str) -> bool:
        """Whether the provider fails requests of this node, or of the one whose twin it is."""
        prompt = self.case.spec["nodes"][node.partition("[")[0]].get("prompt", "")
        return any(re.search(refusal.match(self.tag), prompt) for refusal in self.refusals)


def generate(seed: int) -> Hardship:
    """The run of a seed; the same seed always gives the same one."""
    rng = random.Random(f"chaos {seed}")
    case = _with_effects(generate_lossless(seed), rng)
    models = [name for name, node in case.spec["nodes"].items() if "model" in node]
    refusals = draw_refusals(rng, models)
    for node in case.spec["nodes"].values():
        if any(_stalls(refusal, node) for refusal in refusals):
            node["timeout_seconds"] = STALLED_SECONDS
    tag = f"run {seed}: "
    return Hardship(
        tag=tag,
        case=_tagged(case, tag),
        faults=tuple(draw_faults(rng, list(case.manners))),
        refusals=tuple(refusals),
    )


def _stalls(refusal: Refusal, node: dict[str, Any]) -> bool:
    """Whether an answer to this node, or to its twin, would never end."""
    asks = node.get("prompt", "").startswith(f"{refusal.node} about ")
    return asks and refusal.kind == "stall"


def _with_effects(case: Case, rng: random.Random) -> Case:
    """More effects, and all of them of every kind."""
    # Not a deep copy: twins share parts, and would again.
    spec, manners = json.loads(json.dumps(case.spec)), dict(case.manners)
    spec["workload"] = f"chaos-{case.seed}"
    calls = [name for name, node in spec["nodes"].items() if "effect" not in node]
    for index in range(rng.randint(1, MORE_EFFECTS)):
        name, manner = f"e{index}", rng.choice(MANNERS)
        args = {"to": "{{ input.who }}", "body": f"{name}: {{{{ {rng.choice(calls)} }}}}"}
        spec["nodes"][name] = {"effect": "outbox.put", "args": args}
        if manner is Manner.SILENT:
            spec["nodes"][name]["approval_timeout_seconds"] = rng.choice([0.1, 0.5, 2])
        manners[name] = manner
    for name, node in spec["nodes"].items():
        if "effect" in node:
            own = [intent for intent in manners if intent.partition("[")[0] == name]
            manners |= _remade(node, {intent: manners[intent] for intent in own}, rng)
    return replace(case, spec=spec, manners=manners)


def _remade(
    node: dict[str, Any], manners: dict[str, Manner], rng: random.Random
) -> dict[str, Manner]:
    """Give an effect node another operation, and its intents the manners that fit it."""
    kindly = all(manner.leads_to == "committed" for manner in manners.values())
    node["effect"] = operation = rng.choice(
        [*OPERATIONS, *STAGEABLE, *([UNASKED] * 3 if kindly else [])]
    )
    if operation in STAGEABLE:
        node["args"]["title"] = node["args"].pop("to")
    if operation == "chaos.exact":
        return {intent: _exact(manner) for intent, manner in manners.items()}
    return manners


def _exact(manner: Manner) -> Manner:
    """Approvals that this operation takes: they name the digest."""
    return Manner.EXACT if manner.leads_to == "committed" else manner


def _tagged(case: Case, tag: str) -> Case:
    for node in case.spec["nodes"].values():
        if "model" in node:
            node["prompt"] = tag + node["prompt"].removeprefix(tag)
    return replace(case, rules=list(_tagged_rules(case.rules, tag)))


def _tagged_rules(rules: Iterable[dict[str, Any]], tag: str) -> Iterable[dict[str, Any]]:
    for rule in rules:
        yield {**rule, "match": f"^{re.escape(tag)}" + rule["match"].removeprefix("^")}
