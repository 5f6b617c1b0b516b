"""records find: the record behind a document token that a holder names in a dispute."""

import re
from typing import Annotated, Any

import typer

from agreements.agreement import Agreement
from crypto.document_token import TOKEN_SIZE, document_tokens
from node.app.opening import Node
from node.cli.references import AgreementOption, find_agreement, only_provider
from node.cli.screen import Exit, fail, table
from node.cli.session import HERE, JsonFlag, NodeFolder, acting, one_sentence
from node.operations.find_documents import find_documents, kinds_with_tokens
from node.operations.ports import UnitOfWork
from node.operations.record_rows import RecordRow

_TOKEN = re.compile(rf"[0-9a-f]{{{2 * TOKEN_SIZE}}}")


@one_sentence
def find(
    agreement: AgreementOption,
    token: Annotated[str, typer.Option(help="The value of `document_token` in the holder's copy, 32 hex digits.")],
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Say which records here a holder's document token stands for; only the provider can (S 14, 37)."""
    wanted = token.strip().lower()
    if _TOKEN.fullmatch(wanted) is None:
        fail(f"a document token is {2 * TOKEN_SIZE} hexadecimal digits", Exit.USAGE)
    with acting(node) as opened, opened.store.read() as work:
        known = opened.facts(work)
        agreed = find_agreement(agreement, known)
        only_provider(agreed, opened.party, "finding a document by its token")
        kinds = kinds_with_tokens(agreed, known.law.catalogue)
        if not kinds:
            fail("no document token crosses under this agreement", Exit.REFUSED)
        tokens = document_tokens(opened.context.keys.pseudonym_seed, agreed.terms.agreement)
        found = [_found(work, row, agreed, opened) for row in find_documents(work, wanted, kinds, tokens)]
    if not found:
        fail("no record here has this token under this agreement; a deleted record has none any more", Exit.REFUSED)
    columns = {"record": "record", "kind": "kind", "version": "version", "shown_in_frames": "shown in frames"}
    table(found, columns, as_json=json, empty="")


def _found(work: UnitOfWork, row: RecordRow, agreement: Agreement, node: Node) -> dict[str, Any]:
    """The record, and the frames of this agreement's versions in which its recipient was shown it."""
    versions = {digest for digest, one in node.facts(work).agreements.items() if _is_version_of(one, agreement)}
    frames = [one.frame.hex() for one in work.ledger.of_record(row.record_no) if one.agreement in versions]
    return {"record": row.record_no, "kind": row.kind, "version": row.version, "shown_in_frames": frames}


def _is_version_of(one: Agreement, other: Agreement) -> bool:
    return one.terms.agreement == other.terms.agreement
