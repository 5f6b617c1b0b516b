"""Which record a document token stands for: asked at home, in a dispute, of whoever holds the key (S 14, 37)."""

from collections.abc import Iterator

from agreements.agreement import Agreement
from crypto.document_token import DocumentTokens
from node.domain.document_numbers import token_items, token_of
from node.domain.records import Content, Kind, decode_content
from node.operations.ports import UnitOfWork
from node.operations.record_rows import RecordRow
from registry.norms.catalogue import Catalogue, DataItem, Precision

_PAGE = 1_000


def kinds_with_tokens(agreement: Agreement, catalogue: Catalogue) -> dict[Kind, tuple[DataItem, ...]]:
    """Of each kind that an agreement lets tokens cross of, the wire fields that are tokens."""
    found = {}
    for kind, fields in agreement.terms.precisions.items():
        agreed = {name for name, precision in fields.items() if precision is Precision.TOKEN}
        items = tuple(item for item in token_items(catalogue, Kind(kind)) if item.name in agreed)
        if items:
            found[Kind(kind)] = items
    return found


def find_documents(
    work: UnitOfWork, token: str, wanted: dict[Kind, tuple[DataItem, ...]], tokens: DocumentTokens
) -> Iterator[RecordRow]:
    """Every record whose document's number has this token, a page in memory at a time.

    The token of each record is computed anew, so that no table at home joins records to tokens. Records withheld by
    now are found, deleted ones are not: their numbers are destroyed.
    """
    for kind, items in wanted.items():
        for row in _records(work, kind):
            content = decode_content(kind, row.content)
            if _says(content, items, token, tokens):
                yield row


def _says(content: Content, items: tuple[DataItem, ...], token: str, tokens: DocumentTokens) -> bool:
    return any(token_of(content, item, tokens) == token for item in items)


def _records(work: UnitOfWork, kind: Kind) -> Iterator[RecordRow]:
    after = 0
    while page := work.records.page(kind.value, after, _PAGE):
        yield from (row for row in page if row.deleted_at is None)
        after = page[-1].record_no
