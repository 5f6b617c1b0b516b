"""The law that entries of a journal name: that each does, and that it was the one adopted at its time (S 82)."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from agreements.refusal import Refusal
from node.domain.evidence.agreed import Ground
from node.domain.evidence.findings import Step, Wrong
from node.domain.evidence.opened import Opened
from node.domain.evidence.trust import CLOCKS_DIFFER, UNHEARD
from node.domain.journal import Act
from registry.norms.adoption import Adopted, Clash, in_force
from registry.norms.shelf import PackKind
from registry.parties import PartyId

NAMING: Final = frozenset(
    {Act.QUERY, Act.BATCH, Act.EVALUATE, Act.PUSH, Act.RECORDS, Act.CHANGE, Act.RECHECK, Act.REFUSED}
)
"""Acts whose entries name the law that they rest on, whatever came of them."""
_DISCLOSED: Final = frozenset({"ANSWERED", "EVALUATED", "PUSHED", "REPLACED"})
_OF_SHAPE: Final = frozenset({Refusal.MALFORMED.value, Refusal.OVERSIZED.value, Refusal.UNKNOWN_FIELD.value})
"""Reasons for which bytes are refused that are no permitted message; no rule pack decides that."""
_PACKS: Final = re.compile(r"[A-Za-z0-9._-]{1,64}@[1-9][0-9]{0,8}(?: [A-Za-z0-9._-]{1,64}@[1-9][0-9]{0,8}){0,15}")
_ARTICLE: Final = re.compile(r"[^\x00-\x1f]{1,200}")
_LONGEST: Final = 2_000
"""Characters of a text that is looked at: no packs and no article take so many, and what is remembered stays small."""
_FIRST: Final = datetime(1900, 1, 1, tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)

Packs = frozenset[str]
Turn = tuple[datetime, datetime, Packs]
"""From when until when which packs are in force."""


class NamedLawCheck:
    """Judges what entries name, by what the authority of the node adopted as far as its log in the bundle tells."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._turns: list[Turn] | None = None

    def judge(self, entry: Opened) -> None:
        """Find an entry that names no law; and a disclosure by packs that were not in force when it was made."""
        if entry.act not in NAMING:
            return
        told = entry.detail.get
        pack, article, outcome = told("pack"), told("article"), told("outcome")
        if entry.act is Act.REFUSED and pack == "" and outcome in _OF_SHAPE:
            return
        named = _named(pack) if isinstance(pack, str) and len(pack) <= _LONGEST else None
        if named is None:
            self._found(Step.JOURNAL, Wrong.LAW_NOT_NAMED, entry, "the packs that it rests on", "none that can be read")
            return
        if not (isinstance(article, str) and len(article) <= _LONGEST and _is_article(article)):
            self._found(Step.JOURNAL, Wrong.LAW_NOT_NAMED, entry, "the article that it rests on", "none")
        if outcome in _DISCLOSED:
            self._judge_adopted(named, entry)

    def _judge_adopted(self, named: Packs, entry: Opened) -> None:
        """A node may have gone by a log of an hour before, as it may when parties are admitted."""
        turns = self._adopted()
        if turns is None:
            return
        first, last = entry.at - UNHEARD, entry.at + CLOCKS_DIFFER
        for start, end, packs in turns:
            if packs == named and start <= last and first < end:
                return
        self._found(Step.FRAMES, Wrong.LAW_NOT_IN_FORCE, entry, "the rule packs adopted at its time", "others")

    def _adopted(self) -> list[Turn] | None:
        """From when on which rule packs were in force for the node; None where no log in the bundle tells."""
        if self._turns is not None:
            return self._turns
        snapshot = self._ground.trust.snapshot
        listing = snapshot.party(PartyId(self._ground.node))
        if listing is None:
            return None
        adopted = snapshot.norms.get(listing.card.card.jurisdiction, ())
        self._turns = _turns([one for one in adopted if one.named.kind is PackKind.RULES])
        return self._turns

    def _found(self, step: Step, wrong: Wrong, entry: Opened, expected: str, got: str) -> None:
        self._ground.tally.found(step, wrong, entry.place, expected, got)


@lru_cache(maxsize=256)
def _named(pack: str) -> Packs | None:
    """The packs that an entry names; None where it names none that can be read."""
    return frozenset(pack.split(" ")) if _PACKS.fullmatch(pack) else None


@lru_cache(maxsize=256)
def _is_article(article: str) -> bool:
    return _ARTICLE.fullmatch(article) is not None


def _turns(adopted: Sequence[Adopted]) -> list[Turn]:
    moments = {_FIRST} | {one.works_from for one in adopted} | {one.works_until for one in adopted if one.works_until}
    starts = sorted(moments)
    return [(moment, end, _packs(adopted, moment)) for moment, end in zip(starts, [*starts[1:], _LAST], strict=True)]


def _packs(adopted: Sequence[Adopted], at: datetime) -> Packs:
    """As entries name them; no packs at all while the authority contradicts itself."""
    found = list(in_force(adopted, at).values())
    if any(isinstance(one, Clash) for one in found):
        return frozenset()
    return frozenset(f"{one.named.id}@{one.version}" for one in found if isinstance(one, Adopted))
