"""Gates, commits and calls altered: what was asked, what came back, what it cost."""

from __future__ import annotations

from tests.forging import Event, Forged, attributes, value
from tests.workers.audit.tampering import ONES, Tampering, collecting

CALLS: list[Tampering] = []
altering = collecting(CALLS)


@altering("hit", "approval")
def an_approval_moved_behind_the_commit(forged: Forged) -> Event:
    forged.move(forged.signal(), behind=forged.ended("commit:send"))
    return forged.scheduled("commit:send")


@altering("hit", "approval")
def a_removed_approval(forged: Forged) -> Event:
    forged.drop(forged.signal())
    return forged.scheduled("commit:send")


@altering("hit", "approval")
def an_approval_of_something_else(forged: Forged) -> Event:
    with value(attributes(forged.signal())["input"]) as approval:
        approval["digest"] = ONES
    return forged.scheduled("commit:send")


@altering("hit", "approved_by")
def an_approval_by_somebody_else(forged: Forged) -> Event:
    with value(attributes(forged.signal())["input"]) as approval:
        approval["by"] = "eve"
    return forged.ended("commit:send")


@altering("hit", "approval")
def an_approval_that_was_a_rejection(forged: Forged) -> Event:
    attributes(forged.signal())["signalName"] = "reject"
    return forged.scheduled("commit:send")


@altering("hit", "commit")
def a_second_commit(forged: Forged) -> Event:
    again = forged.repeat(forged.scheduled("commit:send"), behind=forged.ended("commit:send"))
    attributes(again)["activityId"] = "commit:send again"
    return again


@altering("hit", "digest")
def a_commit_of_something_else(forged: Forged) -> Event:
    with forged.asked("commit:send") as request:
        request["arguments"]["to"] = "eve@example.com"
    return forged.scheduled("commit:send")


@altering("miss", "ancestry")
def a_commit_before_its_ancestry(forged: Forged) -> Event:
    commit = forged.scheduled("commit:send")
    forged.move(forged.ended("draft"), behind=commit)
    return commit


@altering("hit", "idempotency_key")
def another_receipt(forged: Forged) -> Event:
    with forged.returned("commit:send") as receipt:
        receipt["idempotency_key"] = "hit/another/send"
    return forged.ended("commit:send")


@altering("hit", "fingerprint")
def a_swapped_argument(forged: Forged) -> Event:
    with forged.asked("ahead:draft:2") as request:
        request["prompt"] = "Draft something else"
    return forged.scheduled("ahead:draft:2")


@altering("hit", "arguments.prompt")
def a_swapped_argument_of_a_certain_call(forged: Forged) -> Event:
    with forged.asked("classify") as request:
        request["prompt"] = "Classify something else"
    return forged.scheduled("classify")


@altering("hit", "fingerprint")
def a_swapped_argument_of_a_tool(forged: Forged) -> Event:
    with forged.asked("ahead:lookup:1") as request:
        request["arguments"]["limit"] = 2
    return forged.scheduled("ahead:lookup:1")


@altering("hit", "arguments")
def arguments_that_are_none(forged: Forged) -> Event:
    with forged.asked("classify") as request:
        request.clear()
    return forged.scheduled("classify")


@altering("hit", "output")
def a_changed_answer(forged: Forged) -> Event:
    with forged.returned("ahead:draft:2") as result:
        result["output"] = "Dear customer, send me money."
    return forged.close


@altering("hit", "question")
def a_changed_answer_that_others_read(forged: Forged) -> Event:
    with forged.returned("ahead:lookup:1") as result:
        result["output"]["text"] = "Send me money."
    return forged.marker("decision", question="classify@faf2805a9391 ? 039a995f77e6")


@altering("hit", "best_usd")
def a_changed_bill(forged: Forged) -> Event:
    with forged.returned("classify") as result:
        result["bill"]["cost"] = dict.fromkeys(("low_usd", "best_usd", "high_usd"), "0.1") | {
            "basis": "exact"
        }
    return forged.ended("classify")


@altering("hit", "best_usd")
def a_changed_token_count(forged: Forged) -> Event:
    with forged.returned("classify") as result:
        result["bill"]["usage"]["output_tokens"] += 1
    return forged.ended("classify")


@altering("hit", "best_usd")
def a_changed_rate(forged: Forged) -> Event:
    with forged.returned("classify") as result:
        result["bill"]["rates"]["input_usd_per_mtok"] = "3"
    return forged.ended("classify")


@altering("hit", "bill")
def a_bill_without_order(forged: Forged) -> Event:
    with forged.returned("ahead:draft:2") as result:
        result["bill"]["cost"]["low_usd"] = "9"
    return forged.ended("ahead:draft:2")


@altering("hit", "outcome")
def a_removed_answer(forged: Forged) -> Event:
    forged.drop(forged.ended("ahead:draft:2"))
    return forged.marker("outcome", node="draft")


@altering("hit", "activity")
def a_second_end(forged: Forged) -> Event:
    end = forged.ended("ahead:draft:2")
    return forged.repeat(end, behind=end)


@altering("hit", "outcome")
def a_removed_launch(forged: Forged) -> Event:
    forged.drop_activity("ahead:draft:2")
    return forged.marker("outcome", node="draft")


@altering("hit", "outcome")
def a_renamed_launch(forged: Forged) -> Event:
    launch = forged.scheduled("ahead:draft:2")
    attributes(launch)["activityId"] = "ahead:draft:3"
    return launch


@altering("approximation", "tier")
def a_changed_verdict(forged: Forged) -> Event:
    with forged.returned("compare:summary@c605d9e26858") as answer:
        answer["tier"] = None
    return forged.marker("compared")


@altering("approximation", "exact")
def an_approximation_approved_blind(forged: Forged) -> Event:
    with forged.asked("commit:send") as request:
        request["exact"] = False
    return forged.scheduled("commit:send")


@altering("hit", "maximum_attempts")
def a_guess_that_is_tried_again(forged: Forged) -> Event:
    launch = forged.scheduled("ahead:draft:2")
    attributes(launch)["retryPolicy"]["maximumAttempts"] = 4
    return launch


@altering("hit", "task_queue")
def a_guess_in_the_lane_of_certain_work(forged: Forged) -> Event:
    launch = forged.scheduled("ahead:draft:2")
    attributes(launch)["taskQueue"]["name"] = "forerun-calls"
    return launch


@altering("hit", "priority")
def a_guess_in_front_of_certain_work(forged: Forged) -> Event:
    launch = forged.scheduled("ahead:draft:2")
    attributes(launch)["priority"]["priorityKey"] = 1
    return launch
