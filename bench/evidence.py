"""Checking a bundle offline, entry by entry with what stands behind each, beside a bare reader of the same lines.

The bundle is home's own, of everything that was measured before on the same network, and of as many plain entries more.
"""

import json
from datetime import timedelta
from hashlib import sha256
from os import urandom

from nacl.signing import SigningKey

from agreements.refusal import Refusal, refuse
from agreements.signatures import sign_document
from bench.network import Network
from bench.records import HOME
from bench.results import Effort, Row, rate
from bench.workshop import measured
from crypto.keys import Suite
from crypto.merkle import Frontier, leaf_hash
from deploy.demo.network import until
from node.app.opening import Node, opened, utc_now
from node.config import Folder
from node.domain.evidence.agreed import Norms
from node.domain.evidence.orders import ORDER_KIND, InspectionOrder
from node.domain.evidence.verify import verify
from node.domain.grounds import refused_for
from node.domain.journal import Act, EntryFacts, draft
from node.operations.asked import RefusedAnswer
from node.operations.show_evidence import Inspection, order_inspection, show_evidence
from registry.parties import ListedCard


def measure_evidence(network: Network, effort: Effort) -> list[Row]:
    """Entries a second; the bare reader hashes each line and entry, and verifies one signature for each document."""
    with opened(Folder(network.place.folder / "sz-authority"), "bench") as authority:
        anchors = [authority.settings.own]
        order = _order(authority)
    with network.keys(network.home) as home:
        _write(home, effort.entries)
        anchors += _others(home, anchors[0])
        shown: list[Inspection] = []
        until("home has published the inspection", lambda: _decided(home, order, shown))
        with home.store.read() as work:
            facts = home.facts(work)
        lines = list(show_evidence(home.store, shown[0], facts, home.context))
        norms = Norms(rules=home.settings.law.rules, calendar=home.settings.law.calendar)
    size, key = shown[0].head.size, SigningKey.generate()
    signed = key.sign(urandom(1_000))

    def check() -> None:
        assert verify(lines, anchors, norms).report.is_clean

    def read() -> None:
        tree, whole = Frontier(), sha256()
        for raw in lines:
            whole.update(raw)
            word, *facts_of_line = json.loads(raw)
            if word == "entry":
                tree.append(leaf_hash(facts_of_line[0].encode()))
            elif word != "leaf":
                key.verify_key.verify(signed)

    def once() -> tuple[float, float]:
        return rate(size, check), rate(size, read)

    return [measured("verify_entries", network.place.store, "entries/s", effort, once)]


def _order(authority: Node) -> bytes:
    assert authority.keys is not None
    at = utc_now()
    order = InspectionOrder(
        agreements=None, authority=authority.party, expires_at=at + timedelta(hours=1), issued_at=at, node=HOME,
        order=urandom(16).hex(), suite=Suite.ONE,
    )  # fmt: skip
    return sign_document(ORDER_KIND, order, authority.keys.node.document)


def _others(home: Node, first: ListedCard) -> list[ListedCard]:
    """The other authorities' cards, as home pinned them."""
    with home.store.read() as work:
        facts = home.facts(work)
    listed = (facts.snapshot.listings[party].card for party in facts.snapshot.authorities)
    return [card for card in listed if card.digest != first.digest]


def _write(home: Node, count: int) -> None:
    law = refused_for(refuse(Refusal.MALFORMED, home.rule_pack))
    refused = EntryFacts(act=Act.REFUSED, detail={**law, "method": "bench"})
    with home.store.write() as work:
        work.journal.add([draft(refused, home.party, utc_now(), urandom) for _ in range(count)])
        work.commit()


def _decided(home: Node, order: bytes, shown: list[Inspection]) -> bool:
    """Whether home shows its evidence now; the serving process publishes the order's entry within a second."""
    with home.store.write() as work:
        facts, context = home.facts(work), home.context
        authority = next(party for party in facts.snapshot.authorities if party.startswith("sz"))
        decided = order_inspection(work, authority, order, facts, context)
    if not isinstance(decided, RefusedAnswer):
        shown.append(decided)
    return bool(shown)
