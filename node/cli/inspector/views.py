"""agreements, disclosures, notices, holders, journal: what a bundle states, in tables."""

from collections.abc import Iterable
from dataclasses import asdict
from itertools import islice
from typing import Annotated

import typer

from node.cli.inspector.bundles import BundleFile, JsonFlag, one_sentence, remind, stated
from node.cli.screen import table
from node.domain.evidence.summaries import (
    AgreementSeen,
    Disclosure,
    EntrySeen,
    HolderSeen,
    NoticeSeen,
    agreements_in,
    disclosures_in,
    holders_in,
    journal_in,
    notices_in,
)
from node.domain.journal import Act

Agreement = Annotated[str, typer.Option(help="Only of this agreement; the first digits of its digest are enough.")]
With = Annotated[str, typer.Option("--with", help="Only with this party.")]
Limit = Annotated[int, typer.Option(min=1, help="At most so many rows.")]

Seen = AgreementSeen | Disclosure | NoticeSeen | HolderSeen | EntrySeen
"""A row of one of the tables."""


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command(epilog="Example: creditport-inspect agreements sz-credit.bundle")(agreements)
    app.command(epilog="Example: creditport-inspect disclosures sz-credit.bundle --with hk-bank --json")(disclosures)
    app.command(epilog="Example: creditport-inspect notices sz-credit.bundle --late")(notices)
    app.command(epilog="Example: creditport-inspect holders sz-credit.bundle --held")(holders)
    app.command(epilog="Example: creditport-inspect journal sz-credit.bundle --act record.changed")(journal)


@one_sentence
def agreements(bundle: BundleFile, json: JsonFlag = False) -> None:
    """List the agreements: between whom, filed with whom, when, and whether in time (S 34)."""
    columns = {
        "agreement": "agreement", "provider": "provider", "recipient": "recipient",
        "filed_with": "filed with", "filed_at": "filed", "late": "late", "effective_from": "from",
        "expires_at": "until", "ended_at": "ended",
    }  # fmt: skip
    _show(agreements_in(stated(bundle)), columns, None, "no agreement · 没有协议", json=json)


@one_sentence
def disclosures(
    bundle: BundleFile, agreement: Agreement = "", party: With = "", limit: Limit = 1_000, json: JsonFlag = False
) -> None:
    """List what was shown: each frame, to whom, under which agreement and filing, for what, and whether it arrived."""
    found = (
        one for one in disclosures_in(stated(bundle))
        if one.agreement.startswith(agreement) and party in {"", one.recipient}
    )  # fmt: skip
    columns = {
        "entry": "entry", "at": "at", "recipient": "to", "agreement": "agreement", "mode": "mode",
        "purpose": "purpose", "renditions": "records", "state": "state", "gone": "gone",
    }  # fmt: skip
    _show(found, columns, limit, "nothing was disclosed · 未披露任何信息", json=json)


@one_sentence
def notices(
    bundle: BundleFile,
    party: With = "",
    late: Annotated[bool, typer.Option("--late", help="Only what came late, or has not come.")] = False,
    limit: Limit = 1_000,
    json: JsonFlag = False,
) -> None:
    """List the changes that holders were told of, and when each followed (S 36, 42)."""
    found = (
        one for one in notices_in(stated(bundle))
        if party in {"", one.holder} and (not late or one.late or one.followed_at is None)
    )  # fmt: skip
    columns = {
        "number": "number", "holder": "holder", "alias": "alias", "effect": "effect", "occurred_at": "changed",
        "due": "due", "stage": "stage", "followed_at": "followed", "late": "late",
    }  # fmt: skip
    _show(found, columns, limit, "no notice · 没有通知", json=json)


@one_sentence
def holders(
    bundle: BundleFile,
    party: With = "",
    held: Annotated[bool, typer.Option("--held", help="Only copies that are not known to be gone.")] = False,
    limit: Limit = 1_000,
    json: JsonFlag = False,
) -> None:
    """List who was given copies, by the alias of each record, and whether receipts say that they are gone."""
    found = (one for one in holders_in(stated(bundle)) if party in {"", one.holder} and (one.held or not held))
    columns = {
        "alias": "alias", "holder": "holder", "agreement": "agreement", "copies": "copies", "gone": "gone",
        "last_shown": "last shown", "held": "held",
    }  # fmt: skip
    _show(found, columns, limit, "nobody was given a copy · 无持有方", json=json)


def _act(text: str) -> str:
    if text and text not in {*Act}:
        raise typer.BadParameter(f"expected one of {', '.join(Act)}")
    return text


@one_sentence
def journal(
    bundle: BundleFile,
    act: Annotated[
        str, typer.Option(parser=_act, metavar="ACT", help="Only entries of this act, such as push or record.changed.")
    ] = "",
    party: With = "",
    limit: Limit = 1_000,
    json: JsonFlag = False,
) -> None:
    """List the journal's entries with their opened details."""
    found = (
        one for one in journal_in(stated(bundle))
        if act in {"", one.act} and party in {"", one.counterparty}
    )  # fmt: skip
    columns = {"entry": "entry", "at": "at", "act": "act", "counterparty": "with", "detail": "detail"}
    _show(found, columns, limit, "no entry · 没有条目", json=json)


def _show(found: Iterable[Seen], columns: dict[str, str], limit: int | None, empty: str, *, json: bool) -> None:
    table([asdict(one) for one in islice(found, limit)], columns, as_json=json, empty=empty)
    remind()
