"""The scenarios whose histories are kept, one for every way that a run can take."""

from __future__ import annotations

from temporalio.api.enums.v1 import EventType

from tests.replay.bets import BETS
from tests.replay.scenario import (
    Scenario,
    approve,
    approve_amid_noise,
    approve_what_is_shown,
    attempts,
    cancel_ahead,
    count,
    effect,
    fates,
    lose_interest_ahead,
    promotes,
    reject,
    result,
    stop_ahead,
    verdicts,
)
from tests.replay.specs import (
    BILLING,
    LONG_DRAFT,
    SEND,
    auto_reply,
    dag,
    model,
    says,
    value,
)

SCENARIOS = [
    Scenario(
        name="hit",
        spec=auto_reply(),
        rules=BILLING,
        people=approve_what_is_shown,
        shows=lambda s: fates(s) == ["draft promoted", "lookup promoted"],
    ),
    Scenario(
        name="hit_running",
        spec=auto_reply(),
        rules=(says("Classify", "billing", 600), LONG_DRAFT),
        people=approve,
        shows=lambda s: fates(s) == ["draft promoted", "lookup promoted"] and promotes(s),
    ),
    Scenario(
        name="miss",
        spec=auto_reply(),
        rules=(says("Classify", "bug", 800), LONG_DRAFT),
        people=approve,
        shows=lambda s: fates(s) == ["draft cut", "lookup discarded"],
    ),
    Scenario(
        name="held",
        spec=auto_reply({"usd_per_second": "0.0000001"}),
        rules=BILLING,
        people=approve,
        shows=lambda s: verdicts(s) == {"hold"} and not fates(s),
    ),
    Scenario(
        name="no_speculation",
        spec=auto_reply({"budget_usd": "0"}),
        rules=BILLING,
        people=approve,
        shows=lambda s: not verdicts(s) and effect(s) == "committed",
    ),
    Scenario(
        name="discarded",
        spec=auto_reply(),
        rules=(says("Classify", "bug", 1500), says("Draft", "Dear customer.")),
        people=approve,
        shows=lambda s: fates(s) == ["draft discarded", "lookup discarded"],
    ),
    Scenario(
        name="rejected",
        spec=auto_reply(),
        rules=BILLING,
        people=reject,
        shows=lambda s: effect(s) == "rejected",
    ),
    Scenario(
        name="expired",
        spec=auto_reply(approval_timeout_seconds=1),
        rules=BILLING,
        shows=lambda s: effect(s) == "expired" and count(s, EventType.EVENT_TYPE_TIMER_FIRED) > 0,
    ),
    Scenario(
        name="early_approval",
        spec=auto_reply(),
        rules=BILLING,
        people=approve_amid_noise,
        shows=lambda s: result(s)["effects"]["send"]["by"] == "ann",
    ),
    Scenario(
        name="node_failure",
        spec=dag(
            bad=model("Broken", retries=0),
            after=model("After {{ bad }}"),
            draft=model("Draft"),
            send=SEND,
        ),
        rules=(says("Broken", "", fault="500"), *BILLING),
        people=approve,
        failed="NodesFailed",
        shows=lambda s: "after" not in s.activity_ids() and "commit:send" in s.activity_ids(),
    ),
    Scenario(
        name="provider_fault",
        spec=dag(draft=model("Draft")),
        rules=(says("Draft", "", fault="500", times=1), *BILLING),
        shows=lambda s: attempts(s, "draft") == 2,
    ),
    Scenario(
        name="speculation_failed",
        spec=auto_reply(),
        rules=(says("Draft", "", fault="500", times=1), *BILLING),
        people=approve,
        shows=lambda s: "draft failed" in fates(s) and "draft" in s.activity_ids(),
    ),
    Scenario(
        name="cancelled",
        spec=auto_reply(),
        rules=(says("Classify", "billing", 60_000), says("Draft", "Dear customer.", 60_000)),
        people=cancel_ahead,
        failed="CancelledError",
        shows=lambda s: "draft cut" in fates(s),
    ),
    Scenario(
        name="budget_zero",
        spec=auto_reply(),
        rules=(says("Classify", "billing", 2000), LONG_DRAFT),
        people=stop_ahead,
        shows=lambda s: "draft cut" in fates(s) and "draft" in s.activity_ids(),
    ),
    Scenario(
        name="no_longer_pays",
        spec=auto_reply(),
        rules=(says("Classify", "billing", 2000), LONG_DRAFT),
        people=lose_interest_ahead,
        shows=lambda s: "draft cut" in fates(s) and "cut" in verdicts(s),
    ),
    Scenario(
        name="branch_skipped",
        spec=dag(
            route=model("Classify", choices=["billing", "bug"], guess=[value("billing")]),
            pay=model("Draft {{ route }}", when="{{ route == 'billing' }}"),
            fix=model("Draft {{ route }}", when="{{ route == 'bug' }}"),
            page=model("Draft {{ fix }}"),
        ),
        rules=BILLING,
        shows=lambda s: fates(s) == ["pay promoted"] and result(s)["skipped"] == ["fix", "page"],
    ),
    Scenario(
        name="staged",
        spec=dag(
            route=model(
                "Classify",
                choices=["billing", "bug"],
                guess=[value("billing", 0.5), value("bug", 0.4)],
            ),
            send={"effect": "drafts.put", "args": {"title": "{{ route }}", "body": "-"}},
        ),
        rules=(says("Classify", "bug", 900),),
        people=approve,
        shows=lambda s: (
            fates(s) == ["send discarded", "send promoted"]
            and effect(s) == "committed"
            and sum(id.startswith("discard:") for id in s.activity_ids()) == 1
        ),
    ),
    Scenario(
        name="own_workflow",
        workflow="Triage",
        spec="charged twice",
        rules=(
            says("CLASSIFY", "billing", 500),
            says("REVIEW", "good", 50),
            says("DRAFT", "Dear", 50),
        ),
        people=approve,
        shows=lambda s: fates(s) == ["draft promoted", "review_0 promoted"],
    ),
    Scenario(
        name="bad_spec",
        spec={"version": 1, "nodes": {"a": {"tool": "kb.serch", "args": {}}}},
        failed="InvalidSpec",
        shows=lambda s: not s.of_kind("decision"),
    ),
    *BETS,
]
