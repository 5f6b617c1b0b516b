"""records correct, records delete: change a record, and tell everybody who holds a copy."""

from datetime import date, datetime
from typing import Annotated, Any

import typer

from agreements.refusal import Refused
from node.app.opening import utc_now
from node.cli.inputs import DAY, a_day
from node.cli.problem_shown import problem_in_words
from node.cli.screen import LARGEST, Exit, facts, fail, out
from node.cli.session import HERE, JsonFlag, NodeFolder, OperatorName, acting, one_sentence, ordering
from node.domain.correction import correct as corrected
from node.domain.dates import shanghai_day
from node.domain.intake import Admitted, Rejected, open_intake
from node.domain.records import HomeRecord
from node.operations.change_records import (
    Changed,
    CorrectRecord,
    DeleteRecord,
    NotChanged,
    correct_record,
    delete_record,
)
from node.operations.stored_records import record_from_row
from registry.norms.code_lists import CodeListName, load_code_list
from registry.norms.law import Law

RecordNumber = Annotated[
    int, typer.Argument(help="The record's number, from `creditport records list`.", min=0, max=LARGEST)
]
Document = Annotated[str, typer.Option(help="The decision, court notice or application behind it; stays at this node.")]
Received = Annotated[
    datetime | None,
    typer.Option(help="Day on which that document came: clocks run from it.", parser=a_day, metavar=DAY),
]


def _bases(name: CodeListName) -> str:
    return ", ".join(sorted(load_code_list(name).all()))


@one_sentence
def correct(
    record: RecordNumber,
    changes: Annotated[
        list[str],
        typer.Option("--set", help="COLUMN=VALUE, as an import file would have it; nothing after = clears it."),
    ],
    basis: Annotated[str, typer.Option(help=f"Why: {_bases(CodeListName.CORRECTION_BASES)}.")],
    operator: OperatorName,
    document: Document = "",
    received: Received = None,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Correct a record through the same checks as an import. Every holder is told, and gets the new version (S 42)."""
    wanted = dict(_column(one) for one in changes)
    with acting(node) as opened:
        who = ordering(opened, operator)
        with opened.store.write() as work:
            law = opened.facts(work).law
            row = work.records.find(record)
            if row is None or row.deleted_at is not None:
                fail(f"there is no record {record}" if row is None else f"record {record} was deleted", Exit.REFUSED)
            admitted = _corrected(law, record_from_row(row), wanted)
            command = CorrectRecord(
                record_no=record, admitted=admitted, basis=basis.upper(), document=document,
                received_on=day_of(received),
            )  # fmt: skip
            done = correct_record(work, command, who, law, opened.context)
    tell(record, done, json=json)


@one_sentence
def delete(
    record: RecordNumber,
    basis: Annotated[str, typer.Option(help=f"The legal basis: {_bases(CodeListName.DELETION_BASES)}.")],
    operator: OperatorName,
    second: Annotated[
        str,
        typer.Option(
            "--second",
            envvar="CREDITPORT_SECOND_OPERATOR",
            help="Another operator, with the role approvals, who approves. Passphrase: CREDITPORT_SECOND_PASSPHRASE.",
        ),
    ],
    document: Document = "",
    received: Received = None,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Delete a record for good: its content is destroyed, a tombstone stays, every holder must follow (S 36, 41)."""
    with acting(node) as opened:
        operators = (ordering(opened, operator), ordering(opened, second, "CREDITPORT_SECOND_PASSPHRASE"))
        command = DeleteRecord(
            record_no=record, basis=basis.upper(), document=document, received_on=day_of(received)
        )  # fmt: skip
        with opened.store.write() as work:
            done = delete_record(work, command, operators, opened.facts(work).law, opened.context)
    tell(record, done, json=json)


def day_of(received: datetime | None) -> date | None:
    """The day that an option names."""
    return None if received is None else received.date()


def _column(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        fail(f"--set takes COLUMN=VALUE, not {name or '='}", Exit.USAGE)
    return name.strip(), value


def _corrected(law: Law, record: HomeRecord, changes: dict[str, str]) -> Admitted:
    intake = open_intake(
        record.kind,
        law,
        provider=record.provider,
        source_system=record.source_system,
        today=shanghai_day(utc_now()),
    )
    if isinstance(intake, Refused):
        fail(f"{intake.reason}: {intake.detail}", Exit.REFUSED)
    admitted = corrected(record, changes, intake)
    if isinstance(admitted, Rejected):
        fail(str(problem_in_words(admitted.reason, admitted.problem, record.kind)), Exit.REFUSED)
    return admitted


def tell(record: int, done: Changed | NotChanged, *, json: bool) -> None:
    """Say what came of a change of a record."""
    if isinstance(done, NotChanged):
        fail(done.why, Exit.REFUSED)
    shown: dict[str, Any] = {"record": record, "version": done.version, "notices": done.notices}
    facts(shown, as_json=json)
    if not json and done.notices:
        out.print("the holders are being told: `creditport notices list`", markup=False)
