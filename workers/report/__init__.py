"""The report: what happened, what it was bet on, and what it cost, on one page that needs no network.

The law: a page repeats what the history says, by the reading of the audit (`audit.reading`), and
adds nothing up that the audit does not add up the same way. Unknown is printed as "unknown", never
as 0. Everything that comes from a history may be hostile: it enters a page as text, never as markup.

The surprise: a page is drawn with two scales. Long waits for people are folded, or they would crush
the seconds that speculation saves; each fold says how long it is.

    lanes      who ran when, and what became of it
    sequence   the same calls without speculation
    bets       every decision with its inequality, and its picture
    costs      dollars by node, by outcome
    effects    what was committed, and who approved it
    single     one run, put together
    sample     what a workload report keeps of a run
    hits       how often guesses were right, and whether that was known
    what_if    what another alpha would have decided and earned
    workload   many runs, put together
    page       data into HTML
"""
