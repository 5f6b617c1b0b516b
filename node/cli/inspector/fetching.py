"""fetch: have a node show its evidence, under an authority's certificate and signed order."""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer

from agreements.refusal import Refusal, explain
from agreements.signatures import sign_document
from crypto import envelope
from crypto.canonical import from_base64
from crypto.errors import CryptoError, Malformed
from crypto.keys import Purpose, SigningKey, Suite
from node.cli.inputs import passphrase
from node.cli.inspector.bundles import JsonFlag, cards_of, one_sentence
from node.cli.outputs import unwritable, whole_file
from node.cli.screen import Exit, err, facts, fail
from node.config import ConfigError, Folder
from node.domain.evidence.lines import Opening, read_line
from node.domain.evidence.orders import ORDER_KIND, InspectionOrder
from node.keys import open_node_keys
from node.wire.errors import BadAnswer, PeerRefused
from node.wire.peers import PeerAddress, PeerClient
from node.wire.tls import Identity
from registry.errors import RegistryError
from registry.mirror import Advanced, Mirror, advance
from registry.parties import ListedCard, PartyId, read_card
from registry.snapshot import fold

PROGRAM: Final = "creditport-inspect"
GOOD_FOR: Final = timedelta(hours=1)
"""How long the order of one fetch may be used."""
TRY_AGAIN: Final = 1.0
"""Seconds until a node that has not published the order's entry yet is asked again."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
PAGE: Final = 1_000
"""Statements of a registry that are read at once."""


def add_to(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command(
        epilog="Example: creditport-inspect fetch sz-credit --as sz-authority --output sz-credit.bundle; "
        "creditport-inspect fetch hk-bank --as sz-authority --authority hk.card.json@0123-...-cdef"
    )(fetch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspector:
    """An authority that inspects: its card, its document key, and what it shows on the line."""

    card: ListedCard
    key: SigningKey = field(repr=False)
    identity: Identity = field(repr=False)


@one_sentence
def fetch(
    node: Annotated[str, typer.Argument(help="The party whose node is inspected.", show_default=False)],
    authority_folder: Annotated[
        Path,
        typer.Option("--as", envvar="CREDITPORT_NODE", help="The inspecting authority's folder.", show_default=False),
    ],
    out: Annotated[
        Path | None, typer.Option("--output", help="The file to write.", show_default="NODE-TIME.bundle")
    ] = None,
    agreement: Annotated[
        list[str] | None, typer.Option(help="Only of this agreement (64 digits). May be repeated.")
    ] = None,
    authority: Annotated[
        list[str] | None,
        typer.Option(help="Another authority, if it lists the node: CARD-FILE@FINGERPRINT. May be repeated."),
    ] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the node to publish the order.")] = 60.0,
    json: JsonFlag = False,
) -> None:
    """Fetch a node's evidence into a file. The node journals the inspection before it shows anything."""
    if not all(_DIGEST.fullmatch(one) for one in agreement or []):
        fail("--agreement expects the 64 digits that name it", Exit.USAGE, PROGRAM)
    folder = Folder(authority_folder)
    card = _card_in(folder)
    anchors = [card, *cards_of(authority or [])]
    # Each by its time: the last one is what shows that the next goes on from it, and is not to be overwritten.
    file = out or Path(f"{node}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.bundle")
    wrong = unwritable(file)
    if wrong is not None:
        fail(f"{file} cannot be written: {os.strerror(wrong)}", Exit.LOCAL, PROGRAM)
    inspector = _unlocked(folder, card)
    order = _order(inspector, PartyId(node), tuple(sorted(agreement)) if agreement else None)
    try:
        size = asyncio.run(_fetch(inspector, anchors, PartyId(node), order, file, wait))
    except PeerRefused as no:
        told = explain(no.answer.refused.reason)
        sentence = f"{no.peer} refused: {no.answer.refused.reason} ({told.article}). {told.en} {told.zh}"
        fail(sentence, Exit.NOT_NOW if no.answer.refused.reason is Refusal.NOT_READY else Exit.REFUSED, PROGRAM)
    facts({"node": node, "file": str(file), "bytes": size, "then": f"{PROGRAM} verify {file}"}, as_json=json)


def _card_in(folder: Folder) -> ListedCard:
    """The card of the authority that inspects; looked at, like all that is named, before a passphrase is asked for."""
    try:
        card = read_card(folder.card.read_bytes())
    except FileNotFoundError:
        raise ConfigError(f"there is no node in {folder.path}") from None
    except (CryptoError, RegistryError):
        raise ConfigError(f"{folder.card} is damaged: restore it from a backup") from None
    if not card.card.party_class.is_authority:
        fail(f"{card.card.party} is no authority; only an authority inspects (S 9, 45)", Exit.USAGE, PROGRAM)
    return card


def _unlocked(folder: Folder, card: ListedCard) -> Inspector:
    prompt = f"Passphrase of the node in {folder.path}"
    keys = open_node_keys(folder.keystore, passphrase("CREDITPORT_PASSPHRASE", prompt))
    if keys.node.document.public != card.key(Purpose.DOCUMENT):
        raise ConfigError("the keystore does not belong to the authority's card")
    identity = Identity.of(from_base64(card.card.tls_certificate), keys.tls_secret)
    return Inspector(card=card, key=keys.node.document, identity=identity)


def _order(inspector: Inspector, node: PartyId, agreements: tuple[str, ...] | None) -> bytes:
    at = datetime.now(UTC).replace(microsecond=0)
    order = InspectionOrder(
        agreements=agreements,
        authority=inspector.card.card.party,
        expires_at=at + GOOD_FOR,
        issued_at=at,
        node=node,
        order=os.urandom(16).hex(),
        suite=Suite.ONE,
    )
    return sign_document(ORDER_KIND, order, inspector.key)


class _Line:
    """Checkpoints are not exchanged here: the bundle holds the node's own."""

    def saw_checkpoint(self, peer: PartyId, note: bytes) -> None:
        """Pass over a peer's checkpoint."""

    def newest_checkpoint(self) -> bytes:
        """Show none."""
        return b""


async def _fetch(
    inspector: Inspector, anchors: list[ListedCard], node: PartyId, order: bytes, file: Path, wait: float
) -> int:
    addresses = {one.card.party: _address(one) for one in anchors}
    client = PeerClient(inspector.identity, lambda peer, _: addresses.get(peer), _Line())
    try:
        addresses |= await _listed(client, anchors, node)
        if node not in addresses:
            known = ", ".join(one.card.party for one in anchors)
            fail(f"{known} does not list {node}; name the authority that does with --authority", Exit.USAGE, PROGRAM)
        with whole_file(file) as opened:
            return await _write(client, node, order, opened, time.monotonic() + wait)
    finally:
        await client.close()


async def _listed(client: PeerClient, anchors: list[ListedCard], node: PartyId) -> Mapping[PartyId, PeerAddress]:
    """Where the first authority that lists the node says it is reached."""
    for anchor in anchors:
        mirror = await _mirror(client, anchor)
        listing = fold([mirror], anchors, datetime.now(UTC)).party(node)
        if listing is not None:
            return {node: _address(listing.card)}
    return {}


async def _mirror(client: PeerClient, authority: ListedCard) -> Mirror:
    """An authority's log, read whole and verified."""
    statements: list[bytes] = []
    while True:
        page = await client.read_registry(authority.card.party, len(statements), PAGE)
        statements += page.statements
        if len(page.statements) < PAGE:
            break
    moved = advance(Mirror(authority=authority), page.head, statements)
    if not isinstance(moved, Advanced):
        fail(f"the registry of {authority.card.party} does not verify: {moved.field}", Exit.REFUSED, PROGRAM)
    return moved.mirror


async def _write(client: PeerClient, node: PartyId, order: bytes, file: BinaryIO, until: float) -> int:
    """Write the parts as they come; a node that must publish the order's entry first is asked again."""
    digest = envelope.parse(order, ORDER_KIND).digest.hex()
    while True:
        try:
            async with aclosing(client.inspect(node, order)) as parts:
                return await _take(node, parts, file, digest)
        except PeerRefused as no:
            if no.answer.refused.reason is not Refusal.NOT_READY or time.monotonic() > until:
                raise
        await asyncio.sleep(TRY_AGAIN)


async def _take(node: PartyId, parts: AsyncIterator[bytes], file: BinaryIO, digest: str) -> int:
    size, said = 0, time.monotonic()
    async for part in parts:
        if not size and not answers(part, node, digest):
            raise BadAnswer(node, f"{node} showed evidence that answers another order")
        file.write(part)
        size += len(part)
        if err.is_terminal and time.monotonic() - said > TRY_AGAIN:
            said = time.monotonic()
            err.print(f"{node}: {size / 1e6:,.0f} MB", end="\r")
    return size


def answers(part: bytes, node: PartyId, digest: str) -> bool:
    """Whether a bundle that begins like this is a node's answer to an order: an old one would hide what came later."""
    try:
        first = read_line(part.partition(b"\n")[0] + b"\n")
    except Malformed:
        return False
    return isinstance(first, Opening) and (first.node, first.order) == (node, digest)


def _address(card: ListedCard) -> PeerAddress:
    return PeerAddress(endpoint=card.card.endpoint, certificate=from_base64(card.card.tls_certificate))
