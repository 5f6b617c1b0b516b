"""Write an act down in the journal, in the act's own transaction."""

from node.domain.context import Context
from node.domain.journal import EntryFacts, draft
from node.operations.ports import UnitOfWork


def write_down(work: UnitOfWork, entry: EntryFacts, context: Context) -> bytes:
    """Add one entry to the journal, to be sequenced later; gives its leaf hash. The caller commits."""
    drafted = draft(entry, context.node, context.now(), context.random)
    work.journal.add([drafted])
    return drafted.leaf
