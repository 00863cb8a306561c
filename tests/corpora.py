"""Texts such as models write, in three kinds, without end and always the same.

Each number gives another text: sentences, records and functions are drawn from what stands below
and filled with names and figures.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

SENTENCES = (
    "Thank you for writing to us, {name}.",
    "I have looked at the invoice of {day} and found that the amount of {sum} euros was charged "
    "twice.",
    "The second charge was made by mistake when your subscription was renewed in {month}.",
    "We have already asked the bank to return the money, which usually takes three to five working "
    "days.",
    "Until then you will see both payments in your account.",
    "Please don't pay the reminder that was sent on {day}; it is no longer valid.",
    "If nothing has arrived by the end of {month}, let me know and I will look into it again.",
    "Your order {number} left our warehouse in {city} this morning.",
    "The carrier expects to deliver it on {day}, most likely before noon.",
    "Somebody has to sign for the parcel, because it contains a battery.",
    "Unfortunately the replacement part is out of stock at the moment.",
    "Our supplier in {city} has promised a new delivery for {month}, but I can't guarantee the "
    "date.",
    "You may of course return the device within thirty days and get your money back.",
    "The error you describe appears when the clock of the computer is wrong by more than a few "
    "minutes.",
    "Open the settings, choose the second tab, and switch the automatic synchronisation on.",
    "After a restart the application should connect without asking for the password again.",
    "I understand that this is annoying, especially just before the closing of the accounts.",
    "Our technicians reproduced the problem yesterday and are working on a correction.",
    "It will be part of the next version, which we plan to publish in {month}.",
    "In the meantime you can export the report as a table and send it by mail.",
    "The contract runs until {day} and is extended by a year unless you cancel it in writing.",
    "A change of the billing address does not affect invoices that were already issued.",
    "For security reasons we can only discuss the details of an account with its owner.",
    "Would you be so kind as to confirm the last four digits of the card you used?",
    "The discount of {percent} percent applies to all licences, including those bought later.",
    "Responsibility for the configuration of the network lies with the customer's administrator.",
    "We apologise for the inconvenience and have credited {sum} euros to your account.",
    "There is nothing else you need to do.",
    "Kind regards from {city}, and have a pleasant weekend.",
    "As {name} explained on the telephone, the limit can be raised at any time.",
)

FUNCTIONS = (
    '''def {verb}_{noun}({noun}s: list[{Noun}], *, limit: int = {number}) -> list[{Noun}]:
    """Return at most `limit` of the {noun}s that are still {state}."""
    found = [{noun} for {noun} in {noun}s if {noun}.state == "{state}"]
    return sorted(found, key=lambda {noun}: {noun}.created_at)[:limit]
''',
    """async def {verb}_{noun}(session: Session, {noun}_id: int) -> {Noun} | None:
    async with session.begin() as transaction:
        row = await transaction.fetch_one(
            "SELECT * FROM {noun}s WHERE id = $1 AND state <> '{state}'", {noun}_id
        )
        if row is None:
            logger.warning("{noun}.missing", extra={{"id": {noun}_id}})
            return None
        return {Noun}(**dict(row))
""",
    """export function {verb}{Noun}({noun}: {Noun}, index = {number}): string {{
  if (!{noun}.items.length || {noun}.state === "{state}") {{
    return "";
  }}
  const total = {noun}.items.reduce((sum, item) => sum + item.price * item.count, 0);
  return `${{index}}: ${{{noun}.id}} (${{total.toFixed(2)}})`;
}}
""",
    '''class {Noun}Queue:
    """{Noun}s that wait until they are {state}."""

    def __init__(self, capacity: int = {number}) -> None:
        self._waiting: deque[{Noun}] = deque(maxlen=capacity)
        self.dropped = 0

    def {verb}(self, {noun}: {Noun}) -> bool:
        if len(self._waiting) == self._waiting.maxlen:
            self.dropped += 1
            return False
        self._waiting.append({noun})
        return True
''',
    """func ({noun} *{Noun}) {Verb}(ctx context.Context) error {{
	for attempt := 0; attempt < {number}; attempt++ {{
		response, err := {noun}.client.Do(ctx, "/v1/{noun}s/"+{noun}.ID)
		if err == nil && response.State != "{state}" {{
			return nil
		}}
		time.Sleep(time.Duration(attempt) * 50 * time.Millisecond)
	}}
	return fmt.Errorf("{noun} %s: still {state}", {noun}.ID)
}}
""",
)

_NAMES = ("Ada Lovelace", "Mr Marple", "Ms Okafor", "Jo Nguyen", "Dr Hernández", "Priya Raman")
_CITIES = ("Rotterdam", "Leipzig", "Oslo", "Manchester", "Porto", "Gdansk")
_MONTHS = ("January", "March", "May", "August", "September", "November")
_NOUNS = ("invoice", "ticket", "payment", "customer", "shipment", "address")
_VERBS = ("collect", "load", "render", "merge", "validate", "archive")
_STATES = ("open", "pending", "approved", "rejected", "expired")


def prose(number: int) -> str:
    """A letter of 12 to 30 sentences in paragraphs."""
    rng = random.Random(f"prose {number}")
    sentences = [_filled(rng.choice(SENTENCES), rng) for _ in range(rng.randint(12, 30))]
    return "\n\n".join(" ".join(sentences[i : i + 5]) for i in range(0, len(sentences), 5))


def json_text(number: int) -> str:
    """An object with 4 to 9 records, as compact or as indented as models write it."""
    rng = random.Random(f"json {number}")
    records = [_record(rng) for _ in range(rng.randint(4, 9))]
    document = {"page": rng.randint(1, 40), "items": records, "more": rng.random() < 0.5}
    return json.dumps(document, indent=rng.choice([None, 2]), ensure_ascii=False)


def code(number: int) -> str:
    """A module of 3 to 8 functions or classes."""
    rng = random.Random(f"code {number}")
    return "\n\n".join(_filled(rng.choice(FUNCTIONS), rng) for _ in range(rng.randint(3, 8)))


KINDS: Mapping[str, Callable[[int], str]] = MappingProxyType(
    {"prose": prose, "json": json_text, "code": code}
)


def _filled(template: str, rng: random.Random) -> str:
    noun, verb = rng.choice(_NOUNS), rng.choice(_VERBS)
    return template.format(
        name=rng.choice(_NAMES),
        city=rng.choice(_CITIES),
        month=rng.choice(_MONTHS),
        day=f"{rng.randint(1, 28)} {rng.choice(_MONTHS)}",
        sum=f"{rng.randint(5, 900)}.{rng.randint(10, 99)}",
        number=rng.randint(2, 99_999),
        percent=rng.randint(2, 40),
        noun=noun,
        Noun=noun.capitalize(),
        verb=verb,
        Verb=verb.capitalize(),
        state=rng.choice(_STATES),
    )


def _record(rng: random.Random) -> dict[str, Any]:
    return {
        "id": f"{rng.choice(_NOUNS)[:3]}_{rng.getrandbits(40):010x}",
        "customer": {"name": rng.choice(_NAMES), "city": rng.choice(_CITIES)},
        "amount": rng.randint(100, 90_000) / 100,
        "due": f"2026-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
        "tags": rng.sample(_STATES, rng.randint(0, 3)),
        "paid": rng.random() < 0.5,
        "note": _filled(rng.choice(SENTENCES), rng) if rng.random() < 0.4 else None,
    }
