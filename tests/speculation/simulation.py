"""A run event by event: what the forecast of the longest path is compared with."""

from __future__ import annotations

from forerun.speculation.makespan import Ahead, Step


def simulate(network: dict[str, Step], aheads: list[Ahead]) -> int:
    """Tick by tick: a node is over when its turn or a speculation on it is."""
    over: dict[str, int] = {}
    now = 0
    while len(over) < len(network):
        progress = True
        while progress:
            progress = False
            for name, step in network.items():
                if name in over:
                    continue
                begun = (
                    0
                    if step.started or not step.upstream
                    else max(over.get(up, now + 1) for up in step.upstream)
                )
                in_turn = begun + step.ms <= now
                ahead = any(
                    a.node == name
                    and a.end_ms <= now
                    and all(over.get(up, now + 1) <= now for up in a.assumed)
                    for a in aheads
                )
                if in_turn or ahead:
                    over[name] = now
                    progress = True
        now += 1
    return max(over.values())
