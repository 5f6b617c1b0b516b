"""Opening a node: its folder, configuration, store, keys and law, put together once."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from agreements.refusal import Refusal
from crypto.errors import CryptoError
from crypto.keys import Purpose
from node.app.packs import shelf_of
from node.config import Config, ConfigError, Folder, read_config
from node.domain.context import Context
from node.keys import OpenKeys, open_node_keys
from node.operations.accept_frames import Recipient
from node.operations.desk import Desk
from node.operations.facts import FactsCache, NodeFacts, Settings, heard_authorities
from node.operations.ports import UnitOfWork
from node.storage.engine import open_store
from node.storage.store import SqlStore
from registry.errors import IncompleteEntry, RegistryError
from registry.norms.law import Law, shipped_law
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
    def law(self) -> Law:
        """The law in force now, or what goes on by while there is none (`NodeFacts`)."""
        with self.store.read() as work:
            return self.facts(work).law

    @property
    def rule_pack(self) -> str:
        """The rule pack that refusals outside any transaction name: as it was last read."""
        known = self.facts_cache.latest
        return (known.law if known is not None else self.settings.law).rules.reference

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
            context=self.context,
            checkpoint=checkpoint,
        )

    def recipient(self, work: UnitOfWork) -> Recipient:
        """What this node takes in frames and notices by, in this unit of work."""
        return Recipient(facts=self.facts(work), settings=self.settings, context=self.context)


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
    settings = settings_of(folder, config, own)
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


def settings_of(folder: Folder, config: Config, own: ListedCard) -> Settings:
    """What does not change while the node runs: its card, the packs at hand, its configuration."""
    try:
        law = shipped_law(own.card.jurisdiction)
    except IncompleteEntry as error:
        raise ConfigError(f"{Refusal.CATALOGUE_ENTRY_INCOMPLETE}: {error}") from None
    except RegistryError as error:
        raise ConfigError(f"a shipped norm pack cannot be used: {error}") from None
    max_age = timedelta(seconds=config.timing.registry_max_age)
    return Settings(own=own, law=law, shelf=partial(shelf_of, folder), registry_max_age=max_age)
