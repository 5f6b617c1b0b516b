"""Reading a node's own journal again, entry by entry, beside hashing the same entries."""

from contextlib import closing
from os import urandom

from bench.records import HOME
from bench.results import Effort, Row, rate
from bench.workshop import Workshop, measured
from crypto.checkpoint import NoteKey
from crypto.merkle import leaf_hash
from node.app.opening import utc_now
from node.domain.journal import Act, EntryFacts, draft, journal_origin
from node.operations.keep_journal import sequence_journal, verify_own_journal
from node.storage.engine import open_store


def measure_journal(workshop: Workshop, effort: Effort) -> list[Row]:
    """Entries a second."""
    url, context, entries = workshop.place.url(), workshop.context, []
    facts = EntryFacts(act=Act.QUERY, detail={"outcome": "ANSWERED", "request": "00" * 32})
    with closing(open_store(url, create=True)) as store:
        drafted = [draft(facts, HOME, utc_now(), urandom) for _ in range(effort.entries)]
        entries = [one.entry for one in drafted]
        with store.write() as work:
            work.journal.add(drafted)
            work.commit()
        size = 0
        while size < effort.entries:
            with store.write() as work:
                published = sequence_journal(work, context)
            assert published is not None
            size = published.size
    vkey = NoteKey(journal_origin(HOME), context.keys.journal).verifier().vkey()

    def verify() -> None:
        with closing(open_store(url)) as store, store.read() as work:
            assert verify_own_journal(work, vkey).problems == ()

    def hash_all() -> None:
        for entry in entries:
            leaf_hash(entry)

    def once() -> tuple[float, float]:
        return rate(effort.entries, verify), rate(effort.entries, hash_all)

    return [measured("verify_journal", workshop.place.store, "entries/s", effort, once)]
