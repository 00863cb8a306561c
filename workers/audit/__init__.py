"""The audit: anybody can re-derive a run from its history alone, years later and offline.

The law: a history is only read, and every check is a pure function of what was read. It repeats the
arithmetic of `speculation`, by the same named functions, from the inputs that the records hold; what
a run says of itself is compared, never believed. A history may be forged or broken in any way, so
whatever does not parse is a violation with its event id, and never an error.

    history   reads the file, or what the server sent
    form      what the server guarantees of the order of events
    reading   decodes them into a `Run`: calls, records, signals, the end
    laws      one module each: what must hold of a `Run`
    replay    runs the workflow's code against the history, and hears what it says
    values    compares that with what is in the history
    told      and what local activities were told with what they wrote down
    auditor   puts it all together into a `report`
"""
