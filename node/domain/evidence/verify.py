"""Check a bundle, line by line, without trusting the node that wrote it (docs/protocol/evidence.md).

All that is needed are the cards of the authorities, compared out of band. Memory holds what is open, never what was
read: a bundle of any length is checked in one pass.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from crypto.checkpoint import open_checkpoint
from crypto.errors import CryptoError, Malformed
from node.domain.evidence.agreed import AgreementsCheck, Ground, Norms
from node.domain.evidence.claims import Claims
from node.domain.evidence.findings import Report, Step, Tally, Wrong
from node.domain.evidence.journal import JournalCheck
from node.domain.evidence.lines import (
    FORMAT,
    Attachment,
    CheckpointLine,
    DocumentLine,
    EntryLine,
    HeadLine,
    LeafLine,
    Line,
    ManifestLine,
    Opening,
    Section,
    SeenLine,
    StatementLine,
    read_line,
    section_of,
)
from node.domain.evidence.orders import Sums
from node.domain.evidence.signed import Whole, is_listed, judge_manifest, judge_opening
from node.domain.evidence.trust import RegistryCheck
from registry.parties import ListedCard, journal_origin

_PLACES: Final = {section: place for place, section in enumerate(Section)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A report, and what the bundle's documents say of other journals."""

    report: Report
    claims: Claims = field(repr=False)


def verify(
    lines: Iterable[bytes], anchors: Sequence[ListedCard], norms: Norms, about: frozenset[str] = frozenset()
) -> Checked:
    """Check a bundle, given as its lines with their newlines; `about` are nodes whose journals are checked beside it.

    What cannot be checked at all, or for want of an anchor, is said in the report's `hindrance`.
    """
    verifier = _Verifier(anchors, norms, about)
    for raw in lines:
        if not verifier.take(raw):
            break
    return verifier.finish()


class _Verifier:
    """Takes the lines of one bundle and hands each to the step that it concerns."""

    def __init__(self, anchors: Sequence[ListedCard], norms: Norms, about: frozenset[str]) -> None:
        self._tally = Tally()
        self._norms = norms
        self._claims = Claims(about=about)
        self._registry = RegistryCheck(anchors, self._tally)
        self._opening: Opening | None = None
        self._agreements: AgreementsCheck | None = None
        self._journal: JournalCheck | None = None
        self._sums = Sums()
        self._section = Section.BUNDLE
        self._count = 0
        self._manifest: ManifestLine | None = None

    def take(self, raw: bytes) -> bool:
        """Take one line; False when no later one can mean anything."""
        self._count += 1
        line = self._read(raw)
        if self._opening is None:
            return self._open(line, raw)
        section = self._section if line is None else section_of(line)
        if self._manifest is not None or _PLACES[section] < max(_PLACES[self._section], 1):
            self._misplaced()
            return True
        self._section = section
        self._sums.add(section, raw)
        return line is None or self._hand_on(line, self._opening)

    def finish(self) -> Checked:
        """Say what is still open, and hold everything against the manifest."""
        if self._opening is None:
            self._tally.hindered("the file does not begin as an evidence bundle of this format does")
            return Checked(report=self._tally.report(""), claims=self._claims)
        journal = self._of_journal(self._opening)
        if journal is not None:
            shown = journal.finish()
            judge_opening(self._opening, shown.orders, self._ground)
            whole = Whole(size=shown.size, sections=self._sums.total())
            judge_manifest(self._ground, self._opening, self._manifest, whole)
        return Checked(report=self._tally.report(self._opening.node), claims=self._claims)

    def _read(self, raw: bytes) -> Line | None:
        """A line that does not read is a finding; what it was meant to be is missed by the step it belongs to."""
        try:
            line = read_line(raw)
        except Malformed:
            if self._opening is not None:
                place = f"line {self._count} ({self._section.value})"
                self._tally.found(Step.CONTAINER, Wrong.LINE_BROKEN, place, "a line of this format", "another")
            return None
        self._tally.checked(Step.CONTAINER)
        return line

    def _open(self, line: Line | None, raw: bytes) -> bool:
        if not isinstance(line, Opening) or line.format != FORMAT:
            return False
        self._opening = line
        self._claims.source = line.node
        self._sums.add(Section.BUNDLE, raw)
        return True

    def _misplaced(self) -> None:
        place = f"line {self._count}"
        self._tally.found(Step.CONTAINER, Wrong.LINE_MISPLACED, place, "a line that belongs here", "another")

    def _hand_on(self, line: Line, opening: Opening) -> bool:
        """Give a line to its step; False where nobody is known to have signed what follows."""
        match line:
            case StatementLine():
                self._registry.statement(line.authority, line.raw)
            case HeadLine():
                self._registry.head(line.authority, line.note)
            case DocumentLine():
                self._of_agreements().document(line.raw)
            case ManifestLine():
                self._manifest = line
            case _:
                journal = self._of_journal(opening)
                if journal is None:
                    return False
                if not self._to_journal(line, journal):
                    self._misplaced()
        return True

    def _to_journal(self, line: Line, journal: JournalCheck) -> bool:
        """Give a line to the journal; False where it has no place there, as none has behind the checkpoint."""
        if journal.closed:
            return False
        match line:
            case EntryLine():
                journal.entry(line)
            case SeenLine():
                self._seen(line)
            case LeafLine():
                journal.leaf(line)
            case CheckpointLine():
                journal.checkpoint(line)
            case _:
                return isinstance(line, Attachment) and journal.attached(line)
        return True

    def _of_agreements(self) -> AgreementsCheck:
        """The step of agreements, which begins where the registry ends."""
        if self._agreements is None:
            self._agreements = AgreementsCheck(self._registry.believed(), self._norms, self._tally)
        return self._agreements

    def _of_journal(self, opening: Opening) -> JournalCheck | None:
        """The steps of the journal, which begin where the agreements end; None where the node is not known."""
        if self._journal is None:
            agreements = self._of_agreements()
            self._ground = Ground(
                node=opening.node, trust=agreements.trust, agreements=agreements.agreed(),
                norms=self._norms, tally=self._tally, endings=agreements.endings,
            )  # fmt: skip
            if not is_listed(self._ground):
                return None
            self._journal = JournalCheck(self._ground, self._claims, whole=opening.scope is None)
        return self._journal

    def _seen(self, line: SeenLine) -> None:
        """A head of another node, as this one verified it; it counts against that node only if it signed it."""
        self._tally.checked(Step.JOURNAL)
        if not self._ground.knows(line.party):
            return
        try:
            verifiers = self._ground.trust.journal_verifiers(line.party)
            signed = open_checkpoint(line.note.encode(), verifiers).checkpoint
        except CryptoError as failure:
            place, expected = f"head of {line.party}", f"signed by the journal key of {line.party}"
            self._tally.found(Step.JOURNAL, Wrong.CHECKPOINT_BROKEN, place, expected, type(failure).__name__)
            return
        if signed.origin == journal_origin(line.party):
            self._claims.head(line.party, signed.size, signed.root, "the head")
