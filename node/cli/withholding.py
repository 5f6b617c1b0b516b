"""records withhold, records release: withhold a record by an act, and lift that again."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from node.cli.changes import Document, Received, RecordNumber, day_of, tell
from node.cli.inputs import DAY, a_day
from node.cli.session import HERE, JsonFlag, NodeFolder, OperatorName, acting, one_sentence, ordering
from node.domain.records import Withheld
from node.operations.withhold_records import (
    LIFTED_BY_TWO,
    ReleaseRecord,
    WithholdRecord,
    release_record,
    withhold_record,
)
from registry.norms.code_lists import CodeListName, load_code_list


class State(StrEnum):
    """The states that a person may set and lift."""

    SUSPENDED = "SUSPENDED"
    REVOCATION_PENDING = "REVOCATION_PENDING"
    REPAIRED = "REPAIRED"
    OPTED_OUT = "OPTED_OUT"
    REORGANISED = "REORGANISED"


def _bases(name: CodeListName) -> str:
    codes = load_code_list(name).codes
    return ", ".join(sorted(code for code, meaning in codes.items() if meaning.tags & {*State}))


def _state(text: str) -> State:
    try:
        return State(text.upper())
    except ValueError:
        raise typer.BadParameter(f"expected one of {', '.join(State)}") from None


_STATES = "复议诉讼中 SUSPENDED, 待撤销 REVOCATION_PENDING, 已修复 REPAIRED, 主体申请 OPTED_OUT, 重整前 REORGANISED."
StateOption = Annotated[State, typer.Option("--state", parser=_state, metavar="STATE", help=_STATES)]


@one_sentence
def withhold(
    record: RecordNumber,
    state: StateOption,
    basis: Annotated[str, typer.Option(help=f"The legal basis: {_bases(CodeListName.WITHHOLDING_BASES)}.")],
    operator: OperatorName,
    document: Document = "",
    start: Annotated[
        datetime | None,
        typer.Option(
            "--from", parser=a_day, metavar=DAY, help="First day on which it is withheld.", show_default="today"
        ),
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option(
            "--until", parser=a_day, metavar=DAY, help="First day on which it is shown again. A suspension has none."
        ),
    ] = None,
    received: Received = None,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Withhold a record from a day on, on which holders are told that copies are void (停止披露, S 36, 59, 61, 66)."""
    with acting(node) as opened:
        who = ordering(opened, operator)
        command = WithholdRecord(
            record_no=record, state=Withheld(state), basis=basis.upper(), document=document,
            starts_on=day_of(start), ends_on=day_of(end), received_on=day_of(received),
        )  # fmt: skip
        with opened.store.write() as work:
            done = withhold_record(work, command, who, opened.facts(work).law, opened.context)
    tell(record, done, json=json)


@one_sentence
def release(
    record: RecordNumber,
    state: StateOption,
    basis: Annotated[str, typer.Option(help=f"The legal basis: {_bases(CodeListName.RELEASE_BASES)}.")],
    operator: OperatorName,
    second: Annotated[
        str,
        typer.Option(
            "--second",
            envvar="CREDITPORT_SECOND_OPERATOR",
            help="Another operator, with the role approvals, for a suspension or a revocation. Passphrase: "
            "CREDITPORT_SECOND_PASSPHRASE.",
        ),
    ] = "",
    document: Document = "",
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Lift one state of a record; it is shown again if nothing else withholds it (恢复披露, S 61)."""
    with acting(node) as opened:
        operators = [ordering(opened, operator)]
        if second and Withheld(state) in LIFTED_BY_TWO:
            operators.append(ordering(opened, second, "CREDITPORT_SECOND_PASSPHRASE"))
        command = ReleaseRecord(record_no=record, state=Withheld(state), basis=basis.upper(), document=document)
        with opened.store.write() as work:
            done = release_record(work, command, operators, opened.facts(work).law, opened.context)
    tell(record, done, json=json)
