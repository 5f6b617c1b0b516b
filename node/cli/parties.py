"""party: cards, pinned authorities, admission and revocation."""

from pathlib import Path
from typing import Annotated

import typer

from node.app.errors import NotIssued
from node.app.renewing import renew_card
from node.cli.inputs import a_file, passphrase, require_address
from node.cli.outputs import to_be_written
from node.cli.references import card_in
from node.cli.screen import Exit, facts, fail, table
from node.cli.session import HERE, JsonFlag, NodeFolder, OperatorName, acting, one_sentence, ordering, reading
from node.config import Folder
from node.domain.operators import Role
from node.operations.keep_registry import Unfit, admit_party, pin_authority, revoke_party
from node.operations.operators import NotAllowed, order
from registry.errors import RegistryError
from registry.mirror import Mirror
from registry.parties import ListedCard, PartyId, fingerprint, parse_fingerprint
from registry.statements import RevocationReason

app = typer.Typer(no_args_is_help=True, help="Party cards, pinned authorities, admission and revocation.")


def add_to(program: typer.Typer) -> None:
    """Add this group of commands to the program."""
    program.add_typer(app, name="party")


CardFile = Annotated[Path, typer.Argument(help="A party card file.", callback=a_file)]


@app.command(epilog="Example: creditport party card --node bank --output hk-bank.card.json")
@one_sentence
def card(
    node: NodeFolder = HERE,
    out: Annotated[
        Path | None,
        typer.Option("--output", help="Write the card there, to hand it to an authority.", callback=to_be_written),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Show this node's party card and its fingerprint, which people compare out of band."""
    with reading(node) as opened:
        own = opened.settings.own
    if out is not None:
        out.write_bytes(own.raw)
    facts({**_shown(own), "file": str(out or Folder(node).card)}, as_json=json)


@app.command(epilog="Example: creditport party renew --endpoint credit.example.org:7443 --listen 0.0.0.0:7443")
@one_sentence
def renew(
    node: NodeFolder = HERE,
    endpoint: Annotated[str, typer.Option(help="Address peers will use.", show_default="as before")] = "",
    listen: Annotated[str, typer.Option(help="Address to listen on.", show_default="as before")] = "",
    json: JsonFlag = False,
) -> None:
    """Issue this node's next card, for an authority to admit. Serve again to use a new address."""
    for option, address in (("--endpoint", endpoint), ("--listen", listen)):
        if address:
            require_address(option, address)
    secret = passphrase("CREDITPORT_PASSPHRASE", f"Passphrase of the node in {node}")
    try:
        renewed = renew_card(Folder(node), secret, endpoint, listen)
    except NotIssued as wrong:
        fail(str(wrong), Exit.USAGE)
    if isinstance(renewed, Unfit):
        fail(renewed.why, Exit.REFUSED)
    facts(_shown(renewed), as_json=json)


@app.command(epilog="Example: creditport party pin sz-authority.card.json --fingerprint 0123-...-cdef")
@one_sentence
def pin(
    file: CardFile,
    given: Annotated[str, typer.Option("--fingerprint", help="What the authority told you its fingerprint is.")],
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Trust an authority, whose registry this node then mirrors."""
    digest, listed = _fingerprint(given), card_in(file)
    with acting(node) as opened, opened.store.write() as work:
        pinned = pin_authority(work, listed, digest, opened.context)
    if isinstance(pinned, Unfit):
        fail(pinned.why, Exit.REFUSED)
    facts(_shown(pinned), as_json=json)


@app.command(epilog="Example: creditport party admit hk-bank.card.json --fingerprint 0123-...-cdef --as alice")
@one_sentence
def admit(
    file: CardFile,
    given: Annotated[str, typer.Option("--fingerprint", help="What the party told you its fingerprint is.")],
    operator: OperatorName,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """As an authority: admit a party by its card (or replace its card by a newer one)."""
    digest, listed = _fingerprint(given), card_in(file)
    if listed.digest != digest:
        fail(f"the card's fingerprint is {fingerprint(listed.digest)}, not the one given", Exit.REFUSED)
    with acting(node) as opened:
        who = ordering(opened, operator)
        with opened.store.write() as work:
            ordered = order(work, who, Role.REGISTRAR, listed.digest, opened.context)
            if isinstance(ordered, NotAllowed):
                fail(ordered.why, Exit.REFUSED)
            done = admit_party(work, listed, opened.facts(work), opened.settings, opened.context, ordered)
    _say(done, {**_shown(listed), "standing": "ADMITTED"}, json=json)


@app.command(epilog="Example: creditport party revoke hk-bank --reason KEY_COMPROMISED --as alice")
@one_sentence
def revoke(
    party: Annotated[str, typer.Argument(help="The party to revoke.")],
    reason: Annotated[RevocationReason, typer.Option(help="Why.")],
    operator: OperatorName,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """As an authority: revoke a party; only a new card brings it back."""
    with acting(node) as opened:
        who = ordering(opened, operator)
        with opened.store.write() as work:
            known = opened.facts(work)
            listing = known.snapshot.party(PartyId(party))
            subject = listing.card.digest if listing else bytes(32)
            ordered = order(work, who, Role.REGISTRAR, subject, opened.context)
            if isinstance(ordered, NotAllowed):
                fail(ordered.why, Exit.REFUSED)
            done = revoke_party(work, PartyId(party), reason, known, opened.settings, opened.context, ordered)
    _say(done, {"party": party, "standing": "REVOKED", "reason": reason.value}, json=json)


@app.command("list", epilog="Example: creditport party list --json")
@one_sentence
def list_parties(node: NodeFolder = HERE, json: JsonFlag = False) -> None:
    """List the parties that this node's pinned authorities list."""
    with reading(node) as opened, opened.store.read() as work:
        snapshot = opened.facts(work).snapshot
    rows = [
        {
            **_shown(listing.card),
            "standing": listing.status.value,
            "since": listing.since,
            "authority": listing.authority,
            "endpoint": listing.card.card.endpoint,
        }
        for _, listing in sorted(snapshot.listings.items())
    ]
    columns = {
        "party": "party",
        "name_zh": "名称",
        "name_en": "name",
        "party_class": "class",
        "jurisdiction": "in",
        "standing": "standing",
        "authority": "listed by",
    }
    table(
        rows,
        columns,
        as_json=json,
        empty="no authority is pinned yet: creditport party pin CARD --fingerprint F",
    )


def _shown(listed: ListedCard) -> dict[str, object]:
    card_facts = listed.card
    return {
        "party": card_facts.party,
        "name_zh": card_facts.name_zh,
        "name_en": card_facts.name_en,
        "party_class": card_facts.party_class.value,
        "jurisdiction": card_facts.jurisdiction.value,
        "serial": card_facts.serial,
        "fingerprint": fingerprint(listed.digest),
    }


def _say(done: Mirror | Unfit, shown: dict[str, object], *, json: bool) -> None:
    if isinstance(done, Unfit):
        fail(done.why, Exit.REFUSED)
    facts(shown, as_json=json)


def _fingerprint(given: str) -> bytes:
    """The digest that somebody was told; text that spells none ends the command."""
    try:
        return parse_fingerprint(given)
    except RegistryError as error:
        fail(f"--fingerprint: {error}", Exit.USAGE)
