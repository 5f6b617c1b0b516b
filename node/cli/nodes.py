"""init, serve, status, migrate, keys: the node itself."""

import logging
import os
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Annotated, Any

import typer

from node.app.errors import NotIssued, NotPinned
from node.app.founding import Pin, found
from node.app.lock import is_served
from node.app.opening import utc_now
from node.cli.inputs import passphrase, require_address, require_name, require_party
from node.cli.references import card_in
from node.cli.screen import Exit, facts, fail, out, say_json
from node.cli.session import HERE, JsonFlag, NodeFolder, acting, one_sentence, reading
from node.cli.standing import recheck_in_words, recheck_of
from node.config import SQLITE_IN_FOLDER, Config, Folder, Identity, Network, read_config
from node.operations.facts import heard_authorities
from node.operations.keep_clocks import calendar_alarms
from node.storage.engine import migrate as migrate_store
from registry.errors import RegistryError
from registry.norms.calendar import shanghai_day
from registry.parties import Jurisdiction, PartyClass, PartyId, fingerprint, parse_fingerprint


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command(
        epilog="Example: creditport --help; creditport init --node bank --party hk-bank --class FIN_INST "
        "--jurisdiction HK --name-zh 香港示範銀行 --name-en 'Hong Kong Demo Bank' --listen 127.0.0.1:7443 "
        "--authority hk-authority.card.json@FINGERPRINT"
    )(init)
    app.command(epilog="Example: creditport serve --node bank")(serve)
    app.command(epilog="Example: creditport status --node bank --json")(status)
    app.command(epilog="Example: creditport migrate --node bank")(migrate)


@one_sentence
def init(
    party: Annotated[str, typer.Option(help="Name in the registry: a-z, 0-9 and hyphens.")],
    party_class: Annotated[
        PartyClass, typer.Option("--class", metavar="CLASS", help=f"What the party is: {', '.join(PartyClass)}.")
    ],
    jurisdiction: Annotated[
        Jurisdiction, typer.Option(metavar="PLACE", help=f"Under whose law it stands: {', '.join(Jurisdiction)}.")
    ],
    name_zh: Annotated[str, typer.Option(help="Chinese name.")],
    name_en: Annotated[str, typer.Option(help="English name.")],
    listen: Annotated[str, typer.Option(help="Address to listen on, host:port.")],
    node: NodeFolder = HERE,
    endpoint: Annotated[str, typer.Option(help="Address peers use.", show_default="as --listen")] = "",
    database: Annotated[
        str,
        typer.Option(
            help="postgresql://user@host/name for a PostgreSQL database.", show_default="SQLite, in the folder"
        ),
    ] = SQLITE_IN_FOLDER,
    authority: Annotated[
        list[str] | None, typer.Option(help="Authority to trust: CARD-FILE@FINGERPRINT. May be repeated.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Make a new node: keys, party card, database."""
    require_party("--party", party)
    require_name("--name-zh", name_zh)
    require_name("--name-en", name_en)
    require_address("--listen", listen)
    require_address("--endpoint", endpoint or listen)
    config = Config(
        identity=Identity(
            party=PartyId(party),
            name_zh=name_zh,
            name_en=name_en,
            jurisdiction=jurisdiction,
            party_class=party_class,
        ),
        network=Network(listen=listen, endpoint=endpoint or listen),
        database=database,
    )
    pins = [_pin(text) for text in authority or []]
    secret = passphrase("CREDITPORT_PASSPHRASE", "Passphrase for the new node", new=True)
    try:
        card = found(Folder(node), config, secret, pins)
    except NotPinned as wrong:
        fail(f"--authority: {wrong}", Exit.REFUSED)
    except NotIssued as wrong:
        fail(str(wrong), Exit.USAGE)
    made = {"party": card.card.party, "card": str(Folder(node).card), "fingerprint": fingerprint(card.digest)}
    facts(made, as_json=json)


def _pin(text: str) -> Pin:
    file, _, digits = text.rpartition("@")
    try:
        digest = parse_fingerprint(digits)
    except RegistryError:
        fail("--authority expects CARD-FILE@FINGERPRINT", Exit.USAGE)
    return Pin(card=card_in(Path(file)), digest=digest)


@one_sentence
def serve(node: NodeFolder = HERE, verbose: Annotated[bool, typer.Option(help="Log more.")] = False) -> None:
    """Serve the node: answer peers, deliver what is queued. Ends cleanly on Ctrl-C or SIGTERM."""
    # gRPC would write plain lines of its own into the log, with addresses in them.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # Only this command speaks gRPC; the others start without it.
    from node.app.serving import CannotListen, serve_node  # noqa: PLC0415 - as above

    _log_to_stderr(logging.DEBUG if verbose else logging.INFO)
    with acting(node) as served:
        # The processes that this one starts have no use for what opened the keystore.
        for name in [name for name in os.environ if "PASSPHRASE" in name and name.startswith("CREDITPORT_")]:
            del os.environ[name]
        try:
            serve_node(served, lambda port: _ready(served.party, port))
        except CannotListen as error:
            fail(str(error), Exit.NOT_NOW)


def _ready(party: str, port: int) -> None:
    sys.stdout.write(f"serving {party} on port {port}\n")
    sys.stdout.flush()


def _where(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An exception as its type and places only: its words might quote what it stumbled over."""
    error = sys.exc_info()[1] if event.pop("exc_info", None) else None
    if error is not None:
        event["error"] = type(error).__name__
        event["at"] = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    return event


def _log_to_stderr(level: int) -> None:
    """One JSON line an event; only names of loops, kinds and parties are ever logged."""
    import structlog  # noqa: PLC0415 - no other command writes a log

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _where,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


@one_sentence
def status(node: NodeFolder = HERE, json: JsonFlag = False) -> None:
    """Say how the node is: serving or not, registry freshness, journal, agreements, waiting jobs."""
    with reading(node) as opened:
        with opened.store.read() as work:
            known = opened.facts(work)
            now = utc_now()
            today = shanghai_day(now)
            clocks = work.clock_book.tally(today, today)
            head = work.journal.head()
            heard, recheck = heard_authorities(work, known, opened.settings, now), recheck_of(work, known)
            shown = {
                "party": opened.party,
                "endpoint": opened.config.network.endpoint,
                "serving": is_served(opened.folder),
                "authorities": {
                    party: "heard" if party in heard else "not heard" for party in known.snapshot.authorities
                },
                "rule_pack": known.law.rules.reference if known.lacking is None else None,
                "lacking": None if known.lacking is None else known.lacking.detail,
                "parties": len(known.snapshot.active()),
                "agreements": len(known.agreements),
                "records": dict(work.records.count()),
                "recheck": recheck,
                "journal_size": head.size if head else 0,
                "jobs_waiting": work.outbox.waiting(),
                "clocks": {"missed": clocks.missed, "due_today": clocks.today, "running": clocks.running},
            }
            alarms = calendar_alarms(known.law, today)
            if alarms:
                shown["calendars_announced_until"] = {one.jurisdiction: one.official_until for one in alarms}
        if json:
            say_json(shown)
            return
        facts({name: fact for name, fact in shown.items() if name != "recheck"}, as_json=False)
        for line in recheck_in_words(recheck):
            out.print(line, markup=False)


@one_sentence
def migrate(node: NodeFolder = HERE) -> None:
    """Bring the node's database to this version of the program."""
    folder = Folder(node)
    config = read_config(folder)
    if is_served(folder):
        fail(f"{node} is in use: stop serving before migrating", Exit.LOCAL)
    migrate_store(folder.database_url(config))
