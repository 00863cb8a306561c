"""The command line on one page: every command, its arguments, and what it says about itself.

Commands import what they do when they do it: `forerun --help` must not wait for vendor SDKs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forerun import __version__
from forerun.workers.cli.audit import audit
from forerun.workers.cli.doctor import doctor
from forerun.workers.cli.export import export
from forerun.workers.cli.process import CommandError, run
from forerun.workers.cli.report import report

# Plain help and errors: a box around an error is not one clear line.
app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    help="Durable, cost-aware speculative execution for LLM agents on Temporal.",
)

RunId = Annotated[str, typer.Argument(metavar="ID", help="The workflow id of a run.")]
Intent = Annotated[str, typer.Argument(metavar="INTENT", help="A node, or node[i] in for_each.")]
By = Annotated[str, typer.Option("--by", metavar="WHO", help="Who says so.")]
Note = Annotated[str | None, typer.Option("--note", metavar="TEXT", help="Kept in the history.")]
Blind = Annotated[bool, typer.Option("--blind", help="In advance, without seeing the arguments.")]
Alpha = Annotated[
    str | None, typer.Option("--alpha", metavar="A", help="0 is most careful, 1 bets most.")
]
Operations = Annotated[
    list[str] | None,
    typer.Option("--operations", metavar="MODULE", help="A module of your own operations."),
]
Slots = Annotated[int, typer.Option(min=1, help="Speculative calls at the same time.")]
Rules = Annotated[
    Path | None, typer.Option("--rules", metavar="FILE", help="What the stand-in answers (JSON).")
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="0 is any free one.")]


@app.callback(invoke_without_command=True)
def forerun(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """What comes before every command."""
    if version:
        print(__version__)
        raise typer.Exit


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Stay up until Ctrl-C.")] = False,
) -> None:
    """Run the example without and with speculation, and compare."""
    from forerun.workers.cli.demo import demo
    from forerun.workers.cli.surroundings import settings, temporal_cli
    from forerun.workers.local import FAILURES

    raise typer.Exit(run(demo(settings(quiet=True), temporal_cli(), keep=keep), FAILURES))


@app.command()
def up(
    port: Port = 7233,
    ui_port: Port = 8233,
    standin_port: Port = 8089,
    db: Annotated[Path | None, typer.Option(metavar="FILE", help="Keep the runs here.")] = None,
    rules: Rules = None,
    operations: Operations = None,
    speculative_slots: Slots = 8,
) -> None:
    """Serve everything on this machine until Ctrl-C: Temporal, its UI, the stand-in, a worker.

    A provider whose key is set is called for real; the others are answered by the stand-in.
    """
    from forerun.workers.cli.servers import up
    from forerun.workers.cli.surroundings import modules, settings, temporal_cli
    from forerun.workers.local import FAILURES, Layout

    found = settings()
    layout = Layout(
        cli=temporal_cli(),
        port=port,
        ui_port=ui_port,
        standin_port=standin_port,
        db=db,
        rules=rules,
        keep_real=True,
        operations=modules(operations),
        speculative_slots=speculative_slots,
    )
    raise typer.Exit(run(up(found, layout), FAILURES))


@app.command()
def worker(
    roles: Annotated[
        str, typer.Option(metavar="ROLES", help="Some of these, with commas.")
    ] = "workflow,call,speculative,commit",
    operations: Operations = None,
    speculative_slots: Slots = 8,
) -> None:
    """Work for an existing server: TEMPORAL_* variables and TOML profiles say which.

    Waits for the server if it is not there yet.
    """
    from forerun.workers.cli.servers import WorkerOrder, roles_of, worker
    from forerun.workers.cli.surroundings import modules, server, worker_settings
    from forerun.workers.local import FAILURES
    from forerun.workers.roles import Role

    chosen = roles_of(roles)
    found = worker_settings(commits=Role.COMMIT in chosen)
    order = WorkerOrder(
        server=server(),
        roles=chosen,
        operations=modules(operations),
        speculative_slots=speculative_slots,
    )
    raise typer.Exit(run(worker(found, order), FAILURES))


@app.command()
def standin(
    port: Port = 8089,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    rules: Rules = None,
    noise: Annotated[
        int | None, typer.Option(metavar="SEED", help="Add random delays and faults.")
    ] = None,
) -> None:
    """Serve the stand-in model server alone, until Ctrl-C."""
    from forerun.workers.cli.standin import standin
    from forerun.workers.standin.serve import CannotListen

    raise typer.Exit(run(standin(host, port, rules, noise), (CannotListen,)))


@app.command(name="run")
def run_(
    spec: Annotated[Path, typer.Argument(metavar="SPEC.json")],
    id: Annotated[str | None, typer.Option("--id", help="The workflow id; else made up.")] = None,
    alpha: Alpha = None,
    no_speculation: Annotated[
        bool, typer.Option("--no-speculation", help="Run it as any other DAG.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print only the result.")] = False,
) -> None:
    """Start a run, follow it, and print its outputs and ledger."""
    from forerun.workers.cli.run import Order, run_spec
    from forerun.workers.cli.surroundings import server, settings
    from forerun.workers.connection import NoConnection

    settings(quiet=True)
    policy = {} if alpha is None else {"alpha": alpha}
    policy |= {"budget_usd": "0"} if no_speculation else {}
    order = Order(spec=spec, id=id, policy=policy, as_json=as_json)
    raise typer.Exit(run(run_spec(server(), order), (NoConnection,)))


@app.command()
def pending(
    id: Annotated[str | None, typer.Argument(metavar="[ID]", help="All runs without it.")] = None,
) -> None:
    """Show what waits for approval, with arguments and digest."""
    from forerun.workers.cli.gate import show_pending
    from forerun.workers.cli.surroundings import with_client

    raise typer.Exit(with_client(show_pending, id))


@app.command()
def approve(id: RunId, intent: Intent, by: By, note: Note = None, blind: Blind = False) -> None:
    """Approve an intent: exactly the arguments that are shown."""
    from forerun.workers.cli.gate import Verdict, decide
    from forerun.workers.cli.surroundings import with_client

    verdict = Verdict(answer="approve", run=id, intent=intent, by=by, note=note, blind=blind)
    raise typer.Exit(with_client(decide, verdict))


@app.command()
def reject(id: RunId, intent: Intent, by: By, note: Note = None, blind: Blind = False) -> None:
    """Reject an intent, for good."""
    from forerun.workers.cli.gate import Verdict, decide
    from forerun.workers.cli.surroundings import with_client

    verdict = Verdict(answer="reject", run=id, intent=intent, by=by, note=note, blind=blind)
    raise typer.Exit(with_client(decide, verdict))


@app.command()
def policy(
    id: Annotated[str | None, typer.Argument(metavar="[ID]")] = None,
    query: Annotated[
        str | None, typer.Option("--query", metavar="Q", help="All live runs that match.")
    ] = None,
    alpha: Alpha = None,
    usd_per_second: Annotated[
        str | None, typer.Option(metavar="X", help="What a second is worth, in dollars.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option(metavar="B", help="Dollars at risk at most; 0 stops all bets.")
    ] = None,
) -> None:
    """Change the dials of live runs, one by ID or all that match a query."""
    from forerun.workers.cli.policy import check_changes, set_policies
    from forerun.workers.cli.surroundings import with_client

    if (id is None) == (query is None):
        raise CommandError("policy: give either an ID or --query Q", code=2)
    given = {"alpha": alpha, "usd_per_second": usd_per_second, "budget_usd": budget}
    changes = {name: value for name, value in given.items() if value is not None}
    check_changes(changes)
    raise typer.Exit(with_client(set_policies, id, query, changes))


@app.command()
def schema(
    everything: Annotated[
        bool, typer.Option("--all", help="Also of results, queries and records.")
    ] = False,
) -> None:
    """Print the JSON Schema of specs."""
    import json

    from forerun.workers.schemas import all_schemas, spec_schema

    print(json.dumps(all_schemas() if everything else spec_schema(), indent=2))


app.command()(audit)
app.command()(doctor)
app.command()(export)
app.command()(report)
