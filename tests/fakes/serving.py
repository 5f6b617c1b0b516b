"""A member's node as the application opens it: for gateways and servers in the test's own process."""

from typing import cast

from crypto.keys import Purpose
from node.app.opening import Node
from node.config import Config, Folder, Identity, Network
from node.keys import OpenKeys
from node.operations.ports import Store
from node.storage.store import SqlStore
from tests.fakes.members import NOWHERE, Member


def node_of(member: Member, store: Store | None = None, listen: str = NOWHERE) -> Node:
    """The member's node on its own store, or on another that stands in for it."""
    card = member.card.card
    identity = Identity(
        party=card.party,
        name_zh=card.name_zh,
        name_en=card.name_en,
        jurisdiction=card.jurisdiction,
        party_class=card.party_class,
    )
    return Node(
        folder=Folder(member.database.parent),
        config=Config(identity=identity, network=Network(listen=listen, endpoint=NOWHERE), evaluation_workers=0),
        store=cast("SqlStore", store or member.store),
        settings=member.settings,
        facts_cache=member.cache,
        clock=member.clock,
        chance=member.context.random,
        keys=OpenKeys(node=member.context.keys, tls_secret=member.part.secret(Purpose.TLS), entries=()),
    )
