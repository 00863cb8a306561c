"""The calls of a bet that do not lower L.

One pass, dearest first, each call together with what waits for its result (design 1). To take a
call out can only make nodes end later, so what is asked of each is whether the run then still ends
as early.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forerun.speculation.bet import Bet, Stake
from forerun.speculation.makespan import Ahead
from forerun.speculation.outlook import Outlook


def needless(
    bet: Bet, dearest_first: Sequence[str], aheads: Mapping[str, Ahead], outlook: Outlook
) -> frozenset[str]:
    """Nodes whose calls leave a bet that lowers L; they leave the outlook, too.

    `dearest_first` are the nodes to try, `aheads`, by node, the bet's part of the outlook.
    """
    waiting = _waiting(bet.calls)
    gone: set[str] = set()
    for node in dearest_first:
        if node in gone:
            continue
        lost = _lost(node, waiting) - gone
        all_of_it = len(gone) + len(lost) == len(aheads)
        if not all_of_it and outlook.spare([aheads[name] for name in lost]):
            gone |= lost
    return frozenset(gone)


def _waiting(stakes: Sequence[Stake]) -> dict[str, list[str]]:
    """By node, those that wait for its result."""
    waiting: dict[str, list[str]] = {}
    for stake in stakes:
        for node in stake.waits_for:
            waiting.setdefault(node, []).append(stake.node)
    return waiting


def _lost(node: str, waiting: Mapping[str, Sequence[str]]) -> set[str]:
    """The node itself and all that hangs on its result."""
    lost, last = {node}, [node]
    while last:
        last = [other for name in last for other in waiting.get(name, ()) if other not in lost]
        lost.update(last)
    return lost
