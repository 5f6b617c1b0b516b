"""Names that rows and records claim for an enterprise: when two are the same, and when they contradict.

A code belongs to one enterprise. Where a row gives a known code to another name, either the code is wrong or the
enterprise was renamed; which of the two it is, people decide.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

import msgspec


class Claim(msgspec.Struct, frozen=True):
    """The names that a content states, as they are written; its representation hides them."""

    name_zh: str | None = None
    name_en: str | None = None

    def __repr__(self) -> str:
        return "Claim(...)"

    @property
    def names(self) -> tuple[str, ...]:
        """The names that are stated, folded."""
        return tuple(folded(name) for name in (self.name_zh, self.name_en) if name)


_DECODER: Final = msgspec.json.Decoder(Claim)


def claim_of(content: bytes) -> Claim:
    """What an encoded content claims; a content that cannot be read claims nothing."""
    try:
        return _DECODER.decode(content)
    except msgspec.DecodeError:
        return Claim()


def folded(name: str) -> str:
    """A name without what makes no other name of it: the width of characters, spaces, and capitals.

    Traditional and simplified characters stay apart, and so do abbreviations: to join those would be guessing.
    """
    if name.isascii():
        return "".join(name.split()).lower()
    # Taking a space away may bring characters together that are then written as one: fold until nothing changes.
    while (once := "".join(unicodedata.normalize("NFKC", name).split()).casefold()) != name:
        name = once
    return name


def contradicts(claim: Claim, known: Iterable[Claim]) -> bool:
    """Whether `claim` gives an enterprise another name than every known claim about it does.

    Names are compared within a language. One that agrees is enough, since translations vary.
    """
    answers = [answer for other in known if (answer := _agrees(claim, other)) is not None]
    return bool(answers) and not any(answers)


def _agrees(one: Claim, other: Claim) -> bool | None:
    """Whether two claims share a name; None when they name nothing in the same language."""
    pairs = [
        (mine, theirs)
        for mine, theirs in ((one.name_zh, other.name_zh), (one.name_en, other.name_en))
        if mine and theirs
    ]
    if not pairs:
        return None
    return any(mine == theirs or folded(mine) == folded(theirs) for mine, theirs in pairs)
