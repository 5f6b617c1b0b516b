"""Numbers of documents as tokens: how a number is spelt before that, and which wire fields are made of one."""

import unicodedata
from typing import Final

from crypto.document_token import DocumentTokens
from node.domain.records import Content, Kind
from registry.norms.catalogue import Catalogue, DataItem, Precision

_BRACKETS: Final = str.maketrans("〔【〖{()}〗】〕", "[[[[[]]]]]")


def canonical_number(number: str) -> str:
    """The one spelling of a document's number: widths, capitals, brackets and spaces are the typist's choice.

    `深市监罚〔2026〕1号`, `深市监罚(2026)1号` and `深市监罚 [２０２６] 1号` are one. Empty for a text of spaces.
    """
    folded = unicodedata.normalize("NFKC", number).casefold()
    return "".join(folded.translate(_BRACKETS).split())


def token_items(catalogue: Catalogue, kind: Kind) -> tuple[DataItem, ...]:
    """The wire fields of a kind that are tokens of a document's number; none for a kind outside the catalogue."""
    entry = catalogue.entry(kind.value)
    return () if entry is None else tuple(item for item in entry.items if Precision.TOKEN in item.precisions)


def token_of(content: Content, item: DataItem, tokens: DocumentTokens) -> str | None:
    """What the wire field `item` says of a record under one agreement; None where home has no number."""
    number = content[item.made_from]
    spelt = canonical_number(number) if isinstance(number, str) else ""
    return tokens.token(content.KIND.value, item.name, spelt) if spelt else None
