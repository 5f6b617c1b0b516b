"""What can be wrong with evidence, each by its name, and the report that a check ends in."""

import tomllib
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

MOST_KEPT: Final = 1_000
"""Findings that are kept in words; more are only counted."""


class Step(IntEnum):
    """The steps of a check, in the order in which they are reported."""

    CONTAINER = 1
    REGISTRY = 2
    NODE = 3
    ORDER = 4
    AGREEMENTS = 5
    JOURNAL = 6
    FRAMES = 7
    RECEIPTS = 8
    NOTICES = 9
    COPIES = 10
    MANIFEST = 11
    COUNTERPARTS = 12


class Wrong(StrEnum):
    """Why a step fails; stable names, for programs."""

    LINE_BROKEN = "LINE_BROKEN"
    LINE_MISPLACED = "LINE_MISPLACED"
    REGISTRY_BROKEN = "REGISTRY_BROKEN"
    NODE_NOT_LISTED = "NODE_NOT_LISTED"
    ORDER_BROKEN = "ORDER_BROKEN"
    ORDER_MISSING = "ORDER_MISSING"
    DOCUMENT_BROKEN = "DOCUMENT_BROKEN"
    ENTRY_BROKEN = "ENTRY_BROKEN"
    ENTRY_MISSING = "ENTRY_MISSING"
    JOURNAL_NOT_AS_SIGNED = "JOURNAL_NOT_AS_SIGNED"
    JOURNAL_FORKED = "JOURNAL_FORKED"
    CHECKPOINT_BROKEN = "CHECKPOINT_BROKEN"
    LAW_NOT_NAMED = "LAW_NOT_NAMED"
    LAW_NOT_IN_FORCE = "LAW_NOT_IN_FORCE"
    FRAME_BROKEN = "FRAME_BROKEN"
    FRAME_MISSING = "FRAME_MISSING"
    FRAME_NOT_AS_JOURNALLED = "FRAME_NOT_AS_JOURNALLED"
    FRAME_WITHOUT_AGREEMENT = "FRAME_WITHOUT_AGREEMENT"
    FRAME_WITHOUT_FILING = "FRAME_WITHOUT_FILING"
    FRAME_NOT_IN_FORCE = "FRAME_NOT_IN_FORCE"
    FRAME_OUTSIDE_AGREEMENT = "FRAME_OUTSIDE_AGREEMENT"
    FRAME_PARTY_NOT_ADMITTED = "FRAME_PARTY_NOT_ADMITTED"
    FRAME_NUMBER_MISSING = "FRAME_NUMBER_MISSING"
    RECEIPT_BROKEN = "RECEIPT_BROKEN"
    RECEIPT_KEY_REVOKED = "RECEIPT_KEY_REVOKED"
    RECEIPT_CONTRADICTS = "RECEIPT_CONTRADICTS"
    RECEIPT_MISSING = "RECEIPT_MISSING"
    NOTICE_BROKEN = "NOTICE_BROKEN"
    NOTICE_MISSING = "NOTICE_MISSING"
    NOTICE_WRONGLY_DUE = "NOTICE_WRONGLY_DUE"
    NOTICE_LATE = "NOTICE_LATE"
    NOTICE_UNANSWERED = "NOTICE_UNANSWERED"
    COPIES_MISCOUNTED = "COPIES_MISCOUNTED"
    COPY_CLOSED_UNPROVEN = "COPY_CLOSED_UNPROVEN"
    MANIFEST_BROKEN = "MANIFEST_BROKEN"
    SECTION_NOT_AS_SIGNED = "SECTION_NOT_AS_SIGNED"


class Meaning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One plain sentence in both languages, and the article that makes it matter."""

    article: str
    en: str
    zh: str


class Title(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a step establishes."""

    en: str
    zh: str


class _Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    steps: dict[Step, Title]
    findings: dict[Wrong, Meaning]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong: where, about whom or what, and what was expected and got, never content."""

    step: Step
    wrong: Wrong
    place: str
    expected: str
    got: str


class Outcome(StrEnum):
    """What became of a step."""

    OK = "ok"
    FINDINGS = "findings"
    UNCHECKED = "not checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """One step: how many things it looked at, and how many were wrong."""

    step: Step
    outcome: Outcome
    checked: int
    wrong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a check came to; `hindrance` says why it could not be made at all, or only in part."""

    node: str
    steps: tuple[StepReport, ...]
    findings: tuple[Finding, ...]
    total: int
    hindrance: str | None

    @property
    def is_clean(self) -> bool:
        """Whether everything was checked and nothing was found."""
        return self.total == 0 and self.hindrance is None


class Tally:
    """Counts what was looked at and keeps what is wrong, in bounded memory."""

    def __init__(self) -> None:
        self._checked: dict[Step, int] = {}
        self._wrong: dict[Step, int] = {}
        self._kept: list[Finding] = []
        self.hindrance: str | None = None

    def checked(self, step: Step, count: int = 1) -> None:
        """Note that a step looked at so many things."""
        self._checked[step] = self._checked.get(step, 0) + count

    def found(self, step: Step, wrong: Wrong, place: str, expected: str, got: str) -> None:
        """Note one finding."""
        self._wrong[step] = self._wrong.get(step, 0) + 1
        self._checked.setdefault(step, 0)
        if len(self._kept) < MOST_KEPT:
            self._kept.append(Finding(step=step, wrong=wrong, place=place, expected=expected, got=got))

    def hindered(self, why: str) -> None:
        """Note the first reason why something cannot be checked."""
        self.hindrance = self.hindrance or why

    def report(self, node: str) -> Report:
        """The report so far."""
        return Report(
            node=node,
            steps=tuple(self._step(one) for one in Step if one is not Step.COUNTERPARTS or one in self._checked),
            findings=tuple(sorted(self._kept, key=lambda one: one.step)),
            total=sum(self._wrong.values()),
            hindrance=self.hindrance,
        )

    def _step(self, step: Step) -> StepReport:
        wrong = self._wrong.get(step, 0)
        outcome = Outcome.FINDINGS if wrong else Outcome.OK if step in self._checked else Outcome.UNCHECKED
        return StepReport(step=step, outcome=outcome, checked=self._checked.get(step, 0), wrong=wrong)


def meaning_of(wrong: Wrong) -> Meaning:
    """What a finding means."""
    return _texts().findings[wrong]


def title_of(step: Step) -> Title:
    """What a step establishes."""
    return _texts().steps[step]


@cache
def _texts() -> _Texts:
    raw = tomllib.loads(files("node.domain").joinpath("data/findings.toml").read_text(encoding="utf-8"))
    raw["steps"] = {int(number): title for number, title in raw["steps"].items()}
    texts = msgspec.convert(raw, _Texts)
    missing = (set(Wrong) - texts.findings.keys()) | (set(Step) - texts.steps.keys())
    if missing:
        raise LookupError(f"findings.toml lacks {sorted(map(str, missing))}")
    return texts
