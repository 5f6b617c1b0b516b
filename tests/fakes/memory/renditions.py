"""The ports Pseudonyms, Renditions and Ledger."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime

from msgspec.structs import replace as changed

from node.domain.notices import Holding
from node.operations.record_rows import RecordRow
from node.operations.rendition_rows import AliasRow, RenditionRow
from node.operations.rows import DisclosureRow, LedgerRow, NoticeRow, ShownBefore
from registry.parties import PartyId
from tests.fakes.memory.state import Disclosed, Part, SentFrame, add_new


def _is_on(row: RecordRow, over: date) -> bool:
    return not row.withheld and (row.disclose_until is None or row.disclose_until > over)


class MemoryPseudonyms(Part):
    def records(
        self, agreement_no: int, epoch: int, pseudonyms: Sequence[bytes], kinds: Sequence[str], over: date
    ) -> dict[bytes, list[tuple[int, RecordRow]]]:
        index, found = self._seen.pseudonyms, defaultdict(list)
        for one in self._seen.records.values():
            for pseudonym in dict.fromkeys(pseudonyms):
                subject, identifier = index.get((agreement_no, epoch, pseudonym), (None, 0))
                if one.row.subject_no == subject and one.is_current and one.row.kind in kinds and _is_on(one.row, over):
                    found[pseudonym].append((identifier, one.row))
        return dict(found)

    def of_subjects(self, agreement_no: int, epoch: int, subjects: Sequence[int]) -> dict[int, list[tuple[int, bytes]]]:
        found: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
        for (*index, pseudonym), (subject, identifier) in self._seen.pseudonyms.items():
            if index == [agreement_no, epoch] and subject in subjects:
                found[subject].append((identifier, pseudonym))
        return {subject: sorted(pairs) for subject, pairs in found.items()}

    def pending(self, agreement_no: int, epoch: int, limit: int) -> list[tuple[int, int, str, str]]:
        through = self._seen.indexed_through.get((agreement_no, epoch), 0)
        return [(number, *identifier) for number, identifier in self._seen.identifiers.page(through, limit)]

    def add(self, agreement_no: int, epoch: int, rows: Sequence[tuple[bytes, int, int]], through: int) -> None:
        state = self._changing
        for pseudonym, subject, identifier in rows:
            state.pseudonyms.setdefault((agreement_no, epoch, pseudonym), (subject, identifier))
        index = (agreement_no, epoch)
        state.indexed_through[index] = max(through, state.indexed_through.get(index, 0))

    def ready(self, agreement_no: int, epoch: int) -> bool:
        return (agreement_no, epoch) in self._seen.complete_indexes

    def complete(self, agreement_no: int, epoch: int) -> None:
        self._changing.complete_indexes.add((agreement_no, epoch))


class MemoryRenditions(Part):
    def of_records(self, agreement_no: int, epoch: int, records: Sequence[int]) -> dict[tuple[int, int], RenditionRow]:
        return {
            (row.record_no, row.record_version): row
            for row in self._seen.renditions.values()
            if (row.agreement_no, row.epoch) == (agreement_no, epoch) and row.record_no in records
        }

    def identities(self, agreement_no: int, records: Sequence[int]) -> dict[int, AliasRow]:
        aliases = self._seen.aliases
        return {one: aliases[one, agreement_no] for one in records if (one, agreement_no) in aliases}

    def add(self, rows: Sequence[RenditionRow]) -> None:
        """The alias that a record has under an agreement never changes."""
        state = self._changing
        for row in rows:
            new = AliasRow(
                alias=row.alias,
                wire_version=row.wire_version,
                record_version=row.record_version,
                ladder_no=row.ladder_no,
                step=row.step,
            )
            known = state.aliases.setdefault((row.record_no, row.agreement_no), new)
            is_another = new.wire_version == known.wire_version and new.ladder_no != known.ladder_no
            if new.wire_version > known.wire_version or is_another:
                state.aliases[row.record_no, row.agreement_no] = changed(new, alias=known.alias)
            key = (row.agreement_no, row.epoch, row.record_no, row.record_version)
            add_new(state.renditions, key, changed(row, alias=known.alias, ladder_no=None, step=None))

    def supersede(self, planned: Sequence[tuple[int, int, int, int]]) -> None:
        aliases = self._changing.aliases
        for record_no, agreement_no, wire_version, record_version in planned:
            old = aliases[record_no, agreement_no]
            aliases[record_no, agreement_no] = changed(
                old, wire_version=wire_version, record_version=record_version, ladder_no=None, step=None
            )

    def destroy(self, records: Sequence[int]) -> None:
        state = self._changing
        state.renditions = {key: row for key, row in state.renditions.items() if row.record_no not in records}


class Disclosures(Part):
    """What is behind a disclosure."""

    def _frame_of(self, one: Disclosed) -> SentFrame:
        return self._seen.sent_frames[one.row.frame]

    def _alias_of(self, one: Disclosed) -> AliasRow:
        return self._seen.aliases[one.row.record_no, one.row.agreement_no]


class MemoryLedger(Disclosures):
    def disclose(self, rows: Sequence[LedgerRow], at: datetime) -> None:
        state = self._changing
        for row in rows:
            if row.frame not in state.sent_frames:
                raise LookupError("expected a frame that is kept, got another one")
            state.disclosures.add(Disclosed(row=row, at=at))

    def of_record(self, record_no: int) -> list[DisclosureRow]:
        return [
            DisclosureRow(
                agreement=self._seen.agreement(one.row.agreement_no),
                holder=self._frame_of(one).row.recipient,
                record_version=one.row.record_version,
                alias=self._alias_of(one).alias,
                frame=one.row.frame,
                fields=one.row.fields,
                at=one.at,
                closed_at=one.closed_at,
                is_cancelled=self._frame_of(one).cancelled_at is not None,
            )
            for one in self._seen.disclosures.values()
            if one.row.record_no == record_no
        ]

    def in_frames(self, frames: Sequence[bytes]) -> list[int]:
        return sorted({one.row.record_no for one in self._seen.disclosures.values() if one.row.frame in frames})

    def holdings(self, records: Sequence[int]) -> list[Holding]:
        found = {
            (one.row.record_no, one.row.agreement_no): Holding(
                record_no=one.row.record_no,
                agreement_no=one.row.agreement_no,
                holder=self._frame_of(one).row.recipient,
                alias=self._alias_of(one).alias,
                wire_version=self._alias_of(one).wire_version,
            )
            for one in self._seen.disclosures.values()
            if one.closed_at is None and one.row.record_no in records
        }
        return [holding for _, holding in sorted(found.items())]

    def shown(self, agreement_no: int, records: Sequence[int]) -> dict[int, ShownBefore]:
        found: dict[int, ShownBefore] = {}
        for one in self._seen.disclosures.values():
            row, is_known = one.row, self._frame_of(one).has_arrived and self._frame_of(one).refused is None
            if is_known and one.closed_at is None and row.agreement_no == agreement_no and row.record_no in records:
                fields = None if row.fields is None else frozenset(row.fields.split())
                before = found.get(row.record_no)
                if before is not None:
                    fields = None if fields is None or before.fields is None else fields | before.fields
                found[row.record_no] = ShownBefore(fields=fields, identifier_no=row.identifier_no)
        return found


class MemorySettlements(Disclosures):
    def settle(self, holder: PartyId, notices: Sequence[bytes], receipt: bytes, at: datetime) -> None:
        if not notices:
            return
        settled = self._notices_to(holder, notices)

        def is_over(one: Disclosed) -> bool:
            subject, version = (one.row.record_no, self._seen.agreement(one.row.agreement_no)), one.row.record_version
            return any(subject == (it.record_no, it.agreement) and version < it.record_version for it in settled)

        self._close(is_over, receipt, at)

    def end(self, holder: PartyId, copies: Sequence[tuple[bytes, bytes]], receipt: bytes, at: datetime) -> int:
        if not copies:
            return 0

        def is_over(one: Disclosed) -> bool:
            return self._frame_of(one).row.recipient == holder and (one.row.frame, self._alias_of(one).alias) in copies

        return self._close(is_over, receipt, at)

    def _close(self, is_over: Callable[[Disclosed], bool], receipt: bytes, at: datetime) -> int:
        table, digest = self._changing.disclosures, self._changing.keep_receipt(receipt)
        over = {number: one for number, one in table.items() if one.closed_at is None and is_over(one)}
        table.update({number: replace(one, closed_at=at, closed_by=digest) for number, one in over.items()})
        return len(over)

    def _notices_to(self, holder: PartyId, notices: Sequence[bytes]) -> list[NoticeRow]:
        return [one for one in self._seen.notices.values() if one.notice in notices and one.peer == holder]
