"""Opening a node: its folder, configuration, store, keys and law, put together once."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from crypto.errors import CryptoError
from crypto.keys import Purpose
from node.config import Config, ConfigError, Folder, read_config
from node.domain.context import Context
from node.domain.vocabulary import Vocabulary, load_vocabulary
from node.keys import OpenKeys, open_node_keys
from node.operations.accept_frames import Recipient
from node.operations.desk import Desk
from node.operations.facts import FactsCache, Law, NodeFacts, Settings, heard_authorities
from node.operations.ports import UnitOfWork
from node.storage.engine import open_store
from node.storage.store import SqlStore
from registry.errors import RegistryError
from registry.norms.calendar import load_calendar, load_local_calendar
from registry.norms.catalogue import load_catalogue
from registry.norms.rule_pack import load_rule_pack
from registry.parties import ListedCard, PartyId, read_card


def utc_now() -> datetime:
    """The time, in UTC, in whole seconds: all that documents and decisions know of it."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An opened node. `keys` is None where nothing needs to be signed or opened."""

    folder: Folder
    config: Config
    store: SqlStore = field(repr=False)
    settings: Settings = field(repr=False)
    facts_cache: FactsCache = field(repr=False)
    keys: OpenKeys | None = field(repr=False, default=None)
    clock: Callable[[], datetime] = field(repr=False, default=utc_now)
    chance: Callable[[int], bytes] = field(repr=False, default=os.urandom)

    @property
    def party(self) -> PartyId:
        """Whose node this is."""
        return self.config.identity.party

    @property
    def vocabulary(self) -> Vocabulary:
        """The code lists of the domain; read when they are first needed."""
        return load_vocabulary()

    @property
    def context(self) -> Context:
        """Clock, randomness and signers; only where the keystore was opened."""
        if self.keys is None:
            raise RuntimeError("this node was opened without its keys")
        return Context(node=self.party, now=self.clock, random=self.chance, keys=self.keys.node)

    def facts(self, work: UnitOfWork) -> NodeFacts:
        """Registry and agreements as they are in this unit of work, now."""
        return self.facts_cache.current(work, self.clock())

    def desk(self, work: UnitOfWork, checkpoint: bytes = b"") -> Desk:
        """What this node discloses by, in this unit of work."""
        facts = self.facts(work)
        return Desk(
            facts=facts,
            settings=self.settings,
            heard=heard_authorities(work, facts, self.settings, self.clock()),
            vocabulary=self.vocabulary,
            context=self.context,
            checkpoint=checkpoint,
        )

    def recipient(self, work: UnitOfWork) -> Recipient:
        """What this node takes in frames and notices by, in this unit of work."""
        return Recipient(
            facts=self.facts(work), settings=self.settings, vocabulary=self.vocabulary, context=self.context
        )


@contextmanager
def opened(folder: Folder, passphrase: str | None = None) -> Iterator[Node]:
    """Open a node, with its keys if a passphrase is given, and close it again.

    Raises:
        ConfigError, StorageError, KeysError: each with one sentence for a person.
    """
    config = read_config(folder)
    own = own_card(folder)
    keys = None if passphrase is None else open_node_keys(folder.keystore, passphrase)
    if keys is not None and keys.node.document.public != own.key(Purpose.DOCUMENT):
        raise ConfigError("the keystore does not belong to the node's party card")
    settings = Settings(
        own=own,
        law=load_law(config),
        registry_max_age=timedelta(seconds=config.timing.registry_max_age),
    )
    store = open_store(folder.database_url(config))
    try:
        yield Node(
            folder=folder,
            config=config,
            store=store,
            settings=settings,
            facts_cache=FactsCache(settings),
            keys=keys,
        )
    finally:
        store.close()


def own_card(folder: Folder) -> ListedCard:
    """The node's own card, as it was issued at its founding."""
    try:
        return read_card(folder.card.read_bytes())
    except OSError as error:
        raise ConfigError(f"{folder.card} cannot be read: {error.strerror}") from None
    except (CryptoError, RegistryError):
        raise ConfigError(f"{folder.card} is damaged: restore it from a backup") from None


def load_law(config: Config) -> Law:
    """The packs that the configuration names."""
    try:
        return Law(
            rules=load_rule_pack(config.law.rule_pack),
            catalogue=load_catalogue(config.law.catalogue),
            calendar=load_calendar(),
            local=load_local_calendar(config.identity.jurisdiction),
        )
    except RegistryError as error:
        raise ConfigError(f"a data pack cannot be used: {error}") from None
