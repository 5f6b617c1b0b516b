"""The clock of filing: begun when both have signed, ended by our own authority's receipt (S 34)."""

from agreements.agreement import fold
from node.domain.begun import begun_by_signing
from node.domain.context import Context
from node.operations.facts import NodeFacts
from node.operations.keep_clocks import begin_clocks, counting_of, end_filing
from node.operations.ports import UnitOfWork


def time_filing(work: UnitOfWork, agreement: bytes, facts: NodeFacts, context: Context) -> None:
    """Begin and end the clock as the documents of an agreement say by now, at a party that has to file it.

    To be called when one was kept; called again it changes nothing. The caller commits.
    """
    listing = facts.snapshot.party(context.node)
    documents = [row.raw for row in work.agreements.documents(agreement)]
    folded = fold(documents, facts.snapshot, facts.law.rules)
    if listing is None or folded is None or not folded.is_signed:
        return
    own = listing.card.card.jurisdiction
    if own not in folded.required:
        return
    begun = begun_by_signing(agreement, folded.terms.stated_signing_date, counting_of(facts.law), context.now())
    begin_clocks(work, begun, context)
    filed = folded.filings.get(own)
    if filed is not None:
        end_filing(work, agreement, filed.receipt.filed_at, context)
