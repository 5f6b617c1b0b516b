"""The envelope facts of records: kept once, for the records of an import have nearly all of them in common."""

from collections.abc import Iterable
from typing import Final

from node.storage.transaction import Transaction

FACTS: Final = "(SELECT f.facts FROM record_facts f WHERE f.number = r.facts_no)"
"""The envelope facts of a record `r`; null for a tombstone."""

_FIND: Final = """
WITH {blobs wanted} SELECT f.facts, f.number FROM wanted CROSS JOIN record_facts f WHERE f.facts = wanted.key"""
_ADD: Final = "INSERT INTO record_facts (facts) VALUES (:facts)"
_FORGET: Final = """
DELETE FROM record_facts WHERE number NOT IN (SELECT facts_no FROM records WHERE facts_no IS NOT NULL)"""


def number_facts(transaction: Transaction, facts: Iterable[bytes]) -> dict[bytes, int]:
    """The numbers of envelope facts, new ones for those that are new: good until the transaction ends."""
    wanted = sorted(set(facts))
    found = _find(transaction, wanted)
    missing = [one for one in wanted if one not in found]
    if missing:
        transaction.insert(_ADD, [(one,) for one in missing])
        found |= _find(transaction, missing)
    return found


def forget_unused_facts(transaction: Transaction) -> None:
    """Remove envelope facts that no record has. It looks at every record, so it is done where all is written anew."""
    transaction.run(_FORGET)


def _find(transaction: Transaction, wanted: list[bytes]) -> dict[bytes, int]:
    return {bytes(facts): number for facts, number in transaction.rows(_FIND, {"wanted": transaction.keys(wanted)})}
