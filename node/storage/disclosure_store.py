"""Home's index of pseudonyms, and the renditions made under them."""

# ruff: noqa: S608 - statements are put together from constants of this file only
# ruff: noqa: D102 - each method keeps the promise of its port and says only what is added to it

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from node.operations.record_rows import RecordRow
from node.operations.rendition_rows import AliasRow, RenditionRow
from node.storage.record_store import COLUMNS, record_from_row
from node.storage.transaction import Transaction

# A pseudonym that nobody has leads to its neighbour in the index: the next one, or the last. Nothing of the neighbour
# is given, for to a stranger everything of it is over. That is asked of each record when it was found, by the very
# condition that leaves out what is over: the same work for a stranger as for one whose records are withheld.
# In two steps, or PostgreSQL believes that few records are of a kind, and looks for all of them among the pseudonyms.
_RECORDS: Final = f"""
WITH {{blobs wanted}}, {{texts kinds}}, found AS MATERIALIZED (
  SELECT wanted.key, p.pseudonym, p.subject_no, p.identifier_no FROM wanted CROSS JOIN pseudonyms p
  WHERE p.agreement_no = :agreement_no AND p.epoch = :epoch AND p.pseudonym = coalesce(
    (SELECT n.pseudonym FROM pseudonyms n WHERE n.agreement_no = :agreement_no AND n.epoch = :epoch
     AND n.pseudonym >= wanted.key ORDER BY n.pseudonym LIMIT 1),
    (SELECT n.pseudonym FROM pseudonyms n WHERE n.agreement_no = :agreement_no AND n.epoch = :epoch
     AND n.pseudonym < wanted.key ORDER BY n.pseudonym DESC LIMIT 1)))
SELECT found.key, found.pseudonym, found.identifier_no, {COLUMNS} FROM found CROSS JOIN records r
WHERE r.subject_no = found.subject_no AND r.kind IN (SELECT key FROM kinds) AND r.deleted_at IS NULL
AND (r.withheld = '' OR substr(r.withheld, 1, 1) = '@') AND coalesce(r.disclose_until, '{date.max}')
> CASE WHEN found.pseudonym = found.key THEN :over ELSE '{date.max}' END ORDER BY r.number"""
# Twice the same table: the first time all that is read of it stands in the index of subjects. Otherwise SQLite takes
# the primary key for the better way, and goes through the whole agreement for each subject.
_OF_SUBJECTS: Final = """
WITH {numbers wanted} SELECT p.subject_no, p.identifier_no, p.pseudonym
FROM wanted CROSS JOIN pseudonyms s CROSS JOIN pseudonyms p
WHERE s.agreement_no = :agreement_no AND s.epoch = :epoch AND s.subject_no = wanted.key
AND p.agreement_no = s.agreement_no AND p.epoch = s.epoch AND p.pseudonym = s.pseudonym ORDER BY p.identifier_no"""
_PENDING: Final = """
SELECT number, subject_no, scheme, value FROM identifiers
WHERE number > coalesce(
  (SELECT through FROM pseudonym_indexes WHERE agreement_no = :agreement_no AND epoch = :epoch), 0)
ORDER BY number LIMIT :limit"""
_ADD_PSEUDONYM: Final = """
INSERT INTO pseudonyms (agreement_no, epoch, pseudonym, subject_no, identifier_no)
VALUES (:agreement_no, :epoch, :pseudonym, :subject_no, :identifier_no)
ON CONFLICT (agreement_no, epoch, pseudonym) DO NOTHING"""
_DONE_THROUGH: Final = """
INSERT INTO pseudonym_indexes (agreement_no, epoch, through, ready)
VALUES (:agreement_no, :epoch, :through, FALSE)
ON CONFLICT (agreement_no, epoch) DO UPDATE SET through = excluded.through
WHERE excluded.through > pseudonym_indexes.through"""
_READY: Final = """
SELECT 1 FROM pseudonym_indexes WHERE agreement_no = :agreement_no AND epoch = :epoch AND ready = TRUE"""
_COMPLETE: Final = """
INSERT INTO pseudonym_indexes (agreement_no, epoch, through, ready)
VALUES (:agreement_no, :epoch, 0, TRUE)
ON CONFLICT (agreement_no, epoch) DO UPDATE SET ready = TRUE"""

_OF_RECORDS: Final = """
WITH {numbers wanted}
SELECT r.record_no, r.record_version, a.alias, r.wire_version, r.body, r.commitment
FROM wanted CROSS JOIN renditions r CROSS JOIN aliases a
WHERE r.record_no = wanted.key AND r.agreement_no = :agreement_no AND r.epoch = :epoch
AND a.record_no = r.record_no AND a.agreement_no = r.agreement_no"""
_IDENTITIES: Final = """
WITH {numbers wanted} SELECT a.record_no, a.alias, a.wire_version, a.record_version, a.ladder_no, a.step
FROM wanted CROSS JOIN aliases a
WHERE a.record_no = wanted.key AND a.agreement_no = :agreement_no"""
_ADD_ALIAS: Final = """
INSERT INTO aliases (record_no, agreement_no, alias, wire_version, record_version, ladder_no, step)
VALUES (:record_no, :agreement_no, :alias, :wire_version, :record_version, :ladder_no, :step)
ON CONFLICT (record_no, agreement_no) DO UPDATE
SET wire_version = excluded.wire_version, record_version = excluded.record_version,
ladder_no = excluded.ladder_no, step = excluded.step
WHERE excluded.wire_version > aliases.wire_version OR (excluded.wire_version = aliases.wire_version
AND coalesce(excluded.ladder_no, 0) <> coalesce(aliases.ladder_no, 0))"""
_ADD_RENDITION: Final = """
INSERT INTO renditions (record_no, agreement_no, epoch, record_version, wire_version, commitment, body)
VALUES (:record_no, :agreement_no, :epoch, :record_version, :wire_version, :commitment, :body)"""
_SUPERSEDE: Final = """
UPDATE aliases SET wire_version = :wire_version, record_version = :record_version, ladder_no = NULL, step = NULL
WHERE record_no = :record_no AND agreement_no = :agreement_no"""
_DESTROY: Final = """
WITH {numbers wanted} DELETE FROM renditions WHERE record_no IN (SELECT key FROM wanted)"""


class SqlPseudonyms:
    """See `node.operations.ports.Pseudonyms`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def records(
        self, agreement_no: int, epoch: int, pseudonyms: Sequence[bytes], kinds: Sequence[str], over: date
    ) -> dict[bytes, list[tuple[int, RecordRow]]]:
        values = {
            "agreement_no": agreement_no, "epoch": epoch, "wanted": self._transaction.keys(pseudonyms),
            "kinds": self._transaction.keys(kinds), "over": over.isoformat(),
        }  # fmt: skip
        found: dict[bytes, list[tuple[int, RecordRow]]] = defaultdict(list)
        for asked, name, identifier, *row in self._transaction.rows(_RECORDS, values):
            if asked == name:
                found[asked].append((identifier, record_from_row(row)))
        return dict(found)

    def of_subjects(
        self, agreement_no: int, epoch: int, subjects: Sequence[int]
    ) -> Mapping[int, Sequence[tuple[int, bytes]]]:
        values = {"agreement_no": agreement_no, "epoch": epoch, "wanted": self._transaction.keys(subjects)}
        found: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
        for subject, identifier, pseudonym in self._transaction.rows(_OF_SUBJECTS, values):
            found[subject].append((identifier, pseudonym))
        return dict(found)

    def pending(self, agreement_no: int, epoch: int, limit: int) -> list[tuple[int, int, str, str]]:
        values = {"agreement_no": agreement_no, "epoch": epoch, "limit": limit}
        return self._transaction.rows(_PENDING, values)

    def add(self, agreement_no: int, epoch: int, rows: Sequence[tuple[bytes, int, int]], through: int) -> None:
        index = {"agreement_no": agreement_no, "epoch": epoch}
        # In the order of the table, so that a large batch touches each of its pages once.
        values = [
            index | {"pseudonym": pseudonym, "subject_no": subject, "identifier_no": identifier}
            for pseudonym, subject, identifier in sorted(rows)
        ]
        self._transaction.run_many(_ADD_PSEUDONYM, values)
        self._transaction.run(_DONE_THROUGH, index | {"through": through})

    def ready(self, agreement_no: int, epoch: int) -> bool:
        return self._transaction.row(_READY, {"agreement_no": agreement_no, "epoch": epoch}) is not None

    def complete(self, agreement_no: int, epoch: int) -> None:
        self._transaction.run(_COMPLETE, {"agreement_no": agreement_no, "epoch": epoch})
        # Without statistics PostgreSQL believes that an agreement has few pseudonyms, and goes through them all.
        self._transaction.learn("pseudonyms")


class SqlRenditions:
    """See `node.operations.ports.Renditions`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def of_records(
        self, agreement_no: int, epoch: int, records: Sequence[int]
    ) -> Mapping[tuple[int, int], RenditionRow]:
        values = {"agreement_no": agreement_no, "epoch": epoch, "wanted": self._transaction.keys(records)}
        rows = self._transaction.rows(_OF_RECORDS, values)
        return {(row[0], row[1]): _rendition_from_row(agreement_no, epoch, row) for row in rows}

    def identities(self, agreement_no: int, records: Sequence[int]) -> dict[int, AliasRow]:
        values = {"agreement_no": agreement_no, "wanted": self._transaction.keys(records)}
        return {
            record_no: AliasRow(
                alias=alias, wire_version=wire_version, record_version=record_version, ladder_no=ladder_no, step=step
            )
            for record_no, alias, wire_version, record_version, ladder_no, step in self._transaction.rows(
                _IDENTITIES, values
            )
        }

    def add(self, rows: Sequence[RenditionRow]) -> None:
        """The alias that a record has under an agreement never changes."""
        aliases = [
            (
                one.record_no, one.agreement_no, one.alias, one.wire_version, one.record_version, one.ladder_no,
                one.step,
            )
            for one in rows
        ]  # fmt: skip
        renditions = [
            (
                one.record_no, one.agreement_no, one.epoch, one.record_version, one.wire_version, one.commitment,
                one.body,
            )
            for one in rows
        ]  # fmt: skip
        self._transaction.insert(_ADD_ALIAS, aliases)
        self._transaction.insert(_ADD_RENDITION, renditions)

    def supersede(self, planned: Sequence[tuple[int, int, int, int]]) -> None:
        names = ("record_no", "agreement_no", "wire_version", "record_version")
        self._transaction.run_many(_SUPERSEDE, [dict(zip(names, one, strict=True)) for one in planned])

    def destroy(self, records: Sequence[int]) -> None:
        self._transaction.run(_DESTROY, {"wanted": self._transaction.keys(records)})


def _rendition_from_row(agreement_no: int, epoch: int, row: Any) -> RenditionRow:
    record_no, record_version, alias, wire_version, body, commitment = row
    return RenditionRow(
        agreement_no=agreement_no,
        epoch=epoch,
        record_no=record_no,
        record_version=record_version,
        alias=alias,
        wire_version=wire_version,
        body=body,
        commitment=commitment,
    )
