"""declaration: an enterprise's own key, and what it says of itself under it (S 20, 26). Needs no node, no database."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from agreements.declaration import (
    DECLARED,
    OpenedDeclaration,
    SelfDeclaration,
    check_legible,
    open_declaration,
    sign_declaration,
    subject_key,
)
from agreements.refusal import Refusal, Refused, refuse
from agreements.signatures import ILLEGIBLE
from crypto.errors import Malformed
from crypto.keys import Purpose, SigningKey, Suite
from node.app.opening import utc_now
from node.cli.imports import documents_of, files_in
from node.cli.inputs import DAY, a_day, a_file, files_or_folders, passphrase, text_of
from node.cli.outputs import to_be_written
from node.cli.references import CheckAttested, read_subjects
from node.cli.screen import Exit, err, facts, fail, fail_refused, out, say_json
from node.cli.session import JsonFlag, one_sentence
from node.config import write_private
from node.domain.dates import shanghai_day
from node.domain.declarations import name_of
from node.domain.identification import IDENTIFIER_COLUMNS
from node.domain.records import Kind
from node.domain.screening import screen_free_text
from node.keys import NoSuchKey, make_person_keys, open_subject_key, sealed_keystore
from registry.norms.calendar import months_later
from registry.norms.catalogue import load_catalogue
from registry.norms.code_lists import CodeListName, load_code_list
from registry.norms.rule_pack import load_rule_pack

app = typer.Typer(
    no_args_is_help=True,
    help="For an enterprise: an own key, and declarations signed with it. 企业自有密钥与自主申报签名。",
)
_VARIABLE = "CREDITPORT_SUBJECT_PASSPHRASE"
Code = Annotated[
    str, typer.Option("--subject", help="Unified code, HK BRN or CR number, Macau number, LEI; or SCHEME:CODE.")
]


def add_to(program: typer.Typer) -> None:
    """Add this group of commands to the program."""
    program.add_typer(app, name="declaration")


@app.command(epilog="Example: creditport declaration key our.key.json --subject 91440300MA5TERT15Q")
@one_sentence
def key(
    file: Annotated[Path, typer.Argument(help="Write the encrypted key there.", callback=to_be_written)],
    subject: Code,
    uscc_check_attested: CheckAttested = False,
    json: JsonFlag = False,
) -> None:
    """Make the enterprise's own signing key; show its public half to your institution, which attests whose it is."""
    (about,) = read_subjects([subject], None, check_attested=uscc_check_attested)
    if file.exists():
        fail(f"there is already a file {file}", Exit.REFUSED)
    secret = passphrase(_VARIABLE, "Passphrase for the enterprise's key 企业密钥口令", new=True)
    secrets, made = make_person_keys(utc_now(), Purpose.SUBJECT)
    write_private(file, sealed_keystore(secrets, secret))
    told = {"subject": f"{about.scheme}:{about.value}", "key": made.public.raw.hex(), "key_id": made.key_id}
    facts(told, as_json=json)


@app.command(
    epilog="Example: creditport declaration sign --key our.key.json --subject 91440300MA5TERT15Q --number 2026-7 "
    "--topic QUALIFICATION --statement 'Certified to ISO 9001.' --until 2027-05-31 --output 2026-7.json"
)
@one_sentence
def sign(
    key_file: Annotated[Path, typer.Option("--key", help="The key that `declaration key` made.")],
    subject: Code,
    number: Annotated[str, typer.Option(help="Your own number of the declaration; each number once.")],
    topic: Annotated[str, typer.Option(help="A code of the list DECLARATION-TOPICS: QUALIFICATION, FINANCE ...")],
    until: Annotated[
        datetime,
        typer.Option(parser=a_day, metavar=DAY, help="Last day on which it may be shown; at most twelve months."),
    ],
    output: Annotated[
        Path, typer.Option(help="Write the signed declaration there, for your institution.", callback=to_be_written)
    ],
    statement: Annotated[str | None, typer.Option(help="What you declare.")] = None,
    statement_file: Annotated[
        Path | None, typer.Option(help="The same, out of a file of UTF-8 text.", callback=a_file)
    ] = None,
    uscc_check_attested: CheckAttested = False,
    json: JsonFlag = False,
) -> None:
    """Sign what the enterprise declares of itself. What is signed is shown first, in full."""
    (about,) = read_subjects([subject], None, check_attested=uscc_check_attested)
    words = _statement_in(statement_file) if statement_file else statement or ""
    _require_fit(topic, words)
    _require_term(until.date())
    if output.exists():
        fail(f"there is already a file {output}", Exit.REFUSED)
    draft = SelfDeclaration(
        consent_until=until.date(),
        declaration_no=number.strip(),
        declared_on=shanghai_day(utc_now()),
        key="00" * 32,
        statement=words.strip() or None,
        subject=name_of(about),
        suite=Suite.ONE,
        topic_code=topic,
    )
    signing = _signing(key_file, draft)
    raw = sign_declaration(msgspec.structs.replace(draft, key=signing.public.raw.hex()), signing)
    signed = open_declaration(raw, load_rule_pack().reference)
    if isinstance(signed, Refused):
        fail(f"{signed.reason}: number of 1 to 200 characters, statement of at most 8,000", Exit.USAGE)
    output.write_bytes(raw)
    facts({"sha256": signed.digest, "key_id": signing.key_id, "output": str(output)}, as_json=json)


@app.command(epilog="Example: creditport declaration show received/ --json")
@one_sentence
def show(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Signed declarations: files, or folders of *.json.", callback=files_or_folders),
    ],
    json: JsonFlag = False,
) -> None:
    """Read signed declarations: what they say, and by which key. As JSON, in the columns of an import of kind 503."""
    rows, refused, rule_pack = [], list[tuple[Path, Refused]](), load_rule_pack().reference
    for file, raw in _documents(paths):
        found = open_declaration(raw, rule_pack)
        if isinstance(found, Refused):
            refused.append((file, found))
            continue
        if not json:
            for line in (*_in_words(found.declaration), f"key  {_key_id(found)}", f"sha256  {found.digest}", ""):
                out.print(line, markup=False)
        rows.append(_row(found))
    if json:
        say_json(rows)
    if not rows and not refused:
        err.print("creditport: note: no *.json file there  文件夹中没有 *.json 文件", markup=False)
    if refused:
        (file, first), all_of_them = refused[0], len(refused) + len(rows)
        named = f"{first.reason}: {first.detail}; the first in {file}"
        illegible = all(one.reason in ILLEGIBLE for _, one in refused)
        fail(f"{len(refused)} of {all_of_them} documents: {named}", Exit.USAGE if illegible else Exit.REFUSED)


def _documents(paths: Iterable[Path]) -> Iterator[tuple[Path, bytes]]:
    """The documents in these files and folders, with the file of each; an empty file that was named ends the command.

    Each file is read once, for it may be a pipe.
    """
    for path in paths:
        found = [(file, raw) for file in files_in([path]) for raw in documents_of(file)]
        if not found and not path.is_dir():
            fail(f"{path} is empty, and no declaration  文件为空，没有申报", Exit.USAGE)
        yield from found


def _statement_in(file: Path) -> str:
    words = text_of(file)
    if not words.strip():
        fail(f"{file} is empty, and no statement  文件为空，没有申报内容", Exit.USAGE)
    return words


def _require_fit(topic: str, words: str) -> None:
    """End the command where no institution could load what would be signed."""
    topics = load_code_list(CodeListName.DECLARATION_TOPICS).all()
    if topic not in topics:
        fail(f"--topic is one of {', '.join(sorted(topics))}", Exit.USAGE)
    found = screen_free_text(words)
    if found is not None:
        fail(f"{found}: statement: expected text without excluded or personal information", Exit.REFUSED)


def _require_term(until: date) -> None:
    """End the command where no consent that begins today may last so long (S 24)."""
    today, rules = shanghai_day(utc_now()), load_rule_pack()
    if until < today:
        fail("--until names a day to come", Exit.USAGE)
    most = rules.consent_max_months.value
    if until > months_later(today, most):
        fail_refused(refuse(Refusal.CONSENT_LIFELONG, rules.reference, f"--until: expected at most {most} months on"))


def _signing(file: Path, draft: SelfDeclaration) -> SigningKey:
    """The key in a file, for which the passphrase is given in sight of what is to be signed."""

    def shown() -> str:
        _show_first(draft)
        return passphrase(_VARIABLE, "Passphrase, to sign this 输入口令以签名")

    try:
        return open_subject_key(file, shown)
    except NoSuchKey as none:
        fail(str(none), Exit.USAGE)


def _show_first(draft: SelfDeclaration) -> None:
    """Show what is to be signed; ends the command where it cannot be read."""
    try:
        check_legible(draft)
    except Malformed:
        fail("number and statement: expected text that can be read, without hidden characters", Exit.USAGE)
    for line in _in_words(draft):
        err.print(line, markup=False)


def _in_words(said: SelfDeclaration) -> Iterator[str]:
    """What is signed, a line for each field, in both languages; a line of a statement cannot pass for a field."""
    entry = load_catalogue().entries[Kind.SELF_DECLARATION.value]
    topic = load_code_list(CodeListName.DECLARATION_TOPICS).codes.get(said.topic_code)
    yield f"{entry.name_zh} / {entry.name_en}"
    yield f"信用主体 / Subject: {said.subject.scheme} {said.subject.value}"
    for name in DECLARED:
        field, value = entry.home_field(name), getattr(said, name)
        title = name if field is None else f"{field.zh} / {field.en}"
        text = f"{topic.zh} / {topic.en}" if name == "topic_code" and topic is not None else value
        yield f"{title}: {'-' if text is None else str(text).replace(chr(10), f'{chr(10)}    ')}"


def _key_id(opened: OpenedDeclaration) -> str:
    return subject_key(opened.declaration.key).key_id


def _row(opened: OpenedDeclaration) -> dict[str, Any]:
    """The columns of the row that says the same; of the consent, only its end is the subject's own word here."""
    said = opened.declaration
    codes = {column: said.subject.value for column, known in IDENTIFIER_COLUMNS.items() if said.subject.scheme in known}
    return {**codes, **{name: getattr(said, name) for name in DECLARED}, "attestation": opened.digest, "key": said.key}
