"""records import: a file goes in, every row is loaded or named; and the mappings that come with the product."""

import hashlib
import sys
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from agreements.attestation import open_attestation
from agreements.declaration import SelfDeclaration
from agreements.refusal import Refused
from agreements.signatures import ILLEGIBLE
from node.app.opening import Node, utc_now
from node.cli.headings import headings_of, look_at_headings, require_table
from node.cli.import_report import ImportReport, RejectsFile
from node.cli.inputs import a_file, bytes_of, files_or_folders, text_of
from node.cli.outputs import require_other, to_be_written
from node.cli.screen import Exit, err, fail, fail_refused, out, say_json, table
from node.cli.session import HERE, JsonFlag, NodeFolder, OperatorName, acting, one_sentence, ordering
from node.domain.attestations import Attested, attested_in
from node.domain.dates import shanghai_day
from node.domain.declarations import Signed, read_declarations
from node.domain.errors import MappingRefused
from node.domain.file_text import encoding_named
from node.domain.intake import Intake, open_intake
from node.domain.mapping import Mapping, read_mapping, standard_mapping
from node.domain.mappings import shipped_mappings
from node.domain.operators import Role
from node.domain.reading import Finding
from node.domain.records import Kind
from node.domain.rows import BadRow, Format, Row, Sheet, one_by_one, read_sheets
from node.operations.import_records import Import, import_rows, sources_of
from node.operations.operators import NotAllowed, order
from registry.parties import PartyId
from registry.snapshot import Listing

KindOption = Annotated[
    Kind,
    typer.Option("--kind", metavar="KIND", help="101 registration, 201 penalty ...: see `creditport records kinds`."),
]
MappingOption = Annotated[
    str | None,
    typer.Option(
        "--mapping",
        help="How the columns of another format become ours: a name of `creditport records mappings`, or a TOML file.",
        show_default=False,
    ),
]
DeclarationsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--declarations",
        help="Declarations that their subjects signed: files, or folders of *.json files. May be repeated.",
        callback=files_or_folders,
    ),
]
_Attestations = Annotated[
    list[Path] | None,
    typer.Option(
        "--attestation",
        help="A signed attestation of self-declarations or odd codes. May be repeated.",
        callback=a_file,
    ),
]
_Provider = Annotated[
    str | None,
    typer.Option("--provider", help="The party that reports the records (S 8, 19).", show_default="this node"),
]
_SourceSystem = Annotated[
    str,
    typer.Option(
        help="The system that the file comes from (S 8): SZ-CREDIT, REGISTRAR ..., see `creditport records kinds`.",
        show_default="what the mapping says",
    ),
]
_Encoding = Annotated[
    str | None,
    typer.Option("--encoding", help="Of the file, where the first 64 KiB do not show it: big5, gb18030."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file to be read: where it is, what its columns become, and its encoding, if somebody named one."""

    file: Path
    mapping: Mapping
    encoding: str | None = None

    def rows(self, stream: IO[bytes]) -> Generator[Row | BadRow]:
        """Read the file row by row."""
        with closing(self.sheets(stream)) as read:
            yield from one_by_one(read)

    def sheets(self, stream: IO[bytes]) -> Generator[Sheet | Row | BadRow]:
        """Read the file, good rows in sheets; a row of JSON with none of the columns is a row that lacks them."""
        for one in read_sheets(stream, form_of(self.file), encoding=self.encoding):  # type: ignore[arg-type]  # an opened file is a BinaryIO
            yield from self._mapped(one)

    def require_columns(self, headings: Sequence[str]) -> None:
        """End the command where headings are none of those that are read."""
        wanted = {source for column in self.mapping.columns for source in column.sources}
        if headings and wanted.isdisjoint(headings):
            kind = self.mapping.kind.value
            fail(f"{self.file.name} has none of the columns of kind {kind}: another kind, or a --mapping?", Exit.USAGE)

    def _mapped(self, one: Sheet | Row | BadRow) -> Iterable[Sheet | Row | BadRow]:
        if isinstance(one, Row):
            return (self.mapping.apply(one),)
        if isinstance(one, BadRow):
            return (one,)
        mapped = self.mapping.apply_all(one)
        return (mapped,) if isinstance(mapped, Sheet) else mapped


@one_sentence
def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV, or JSON Lines (.json, .jsonl, .ndjson); any of UTF-8, GB18030, Big5.",
            callback=a_file,
        ),
    ],
    kind: KindOption,
    operator: OperatorName,
    mapping: MappingOption = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Write every row that is not loaded there, with why.", callback=to_be_written)
    ] = None,
    source: _SourceSystem = "",
    provider: _Provider = None,
    attestation: _Attestations = None,
    declarations: DeclarationsOption = None,
    encoding: _Encoding = None,
    join_by_name: Annotated[
        bool,
        typer.Option("--join-by-name", help="A penalty without a code is of the only enterprise here of its name."),
    ] = False,
    names_may_change: Annotated[
        bool, typer.Option("--names-may-change", help="Another name for a known code is its new one, not a conflict.")
    ] = False,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Load records; every row is loaded, or named with what was wrong. Loading a file again changes nothing."""
    require_other(rejects, [file, mapping_file(mapping), *(attestation or ()), *files_in(declarations or ())])
    read = source_in(file, mapping, kind, encoding)
    with ExitStack() as stack:
        opened = stack.enter_context(acting(node))
        intake = intake_of(
            opened, kind, source or read.mapping.source, provider=PartyId(provider or opened.party),
            attested=_attested(opened, attestation or [], declarations),
        )  # fmt: skip
        ordered = _order(opened, operator, read, intake, join_by_name=join_by_name, names_may_change=names_may_change)
        named = None if rejects is None else stack.enter_context(closing(RejectsFile(rejects)))
        report = ImportReport(kind, named)
        stack.push(report.say_interrupted)
        stream = stack.enter_context(file.open("rb"))
        # Closed before the file is, also when somebody interrupts.
        rows = stack.enter_context(closing(read.sheets(stream)))
        _load(opened, rows, ordered, report, stream)
        if report.contested:
            # Once more, for the rows that the conflicting ones contradict: memory does not hold a file's codes.
            again = stack.enter_context(file.open("rb"))
            report.name_sources(sources_of(stack.enter_context(closing(read.sheets(again))), intake, report.contested))
    _say(report, file, as_json=json)


@one_sentence
def mappings(
    name: Annotated[str | None, typer.Argument(help="Write this one out, to be used or changed.")] = None,
    json: JsonFlag = False,
) -> None:
    """List the mappings of public registers that come with the product, or write one out as a start for your own."""
    shipped = shipped_mappings()
    if name is None:
        rows = [
            {"mapping": key, "kind": read_mapping(text).kind.value, "for": text.split("\n", 1)[0].removeprefix("# ")}
            for key, text in shipped.items()
        ]
        table(rows, {"mapping": "mapping", "kind": "kind", "for": "for"}, as_json=json, empty="none")
    elif name not in shipped:
        fail(f"there is no mapping {name}: one of {', '.join(shipped)}", Exit.USAGE)
    elif json:
        say_json({"mapping": name, "text": shipped[name]})
    else:
        out.print(shipped[name].rstrip(), markup=False)


def mapping_named(name: str | None, kind: Kind) -> Mapping:
    """The mapping of that name or in that file, our own header without one; another kind's ends the command."""
    if name is None:
        return standard_mapping(kind)
    file, shipped = mapping_file(name), shipped_mappings()
    if file is None and name not in shipped:
        fail(f"there is no mapping {name}: a .toml file, or one of {', '.join(shipped)}", Exit.USAGE)
    try:
        read = read_mapping(shipped[name] if file is None else text_of(file))
    except MappingRefused as wrong:
        fail(f"{name}: {wrong}", Exit.USAGE)
    if read.kind is not kind:
        fail(f"{name} is a mapping for kind {read.kind.value}, not {kind.value}", Exit.USAGE)
    return read


def mapping_file(name: str | None) -> Path | None:
    """The file that a --mapping names; None for one that comes with the product, or a word that is neither.

    A word alone is a file's name where there is a file (or pipe) of that name: a folder may be called like anything.
    """
    if not name or name in shipped_mappings():
        return None
    file = Path(name)
    is_one = "/" in name or name.endswith(".toml") or (file.exists() and not file.is_dir())
    return file if is_one else None


def source_in(file: Path, mapping: str | None, kind: Kind, encoding: str | None) -> Source:
    """A file as it is to be read; one that is no table, or of the columns of another kind, ends the command."""
    require_table(file, form_of(file))
    read = Source(file=file, mapping=mapping_named(mapping, kind), encoding=known_encoding(encoding))
    found = headings_of(file, form_of(file), read.encoding)
    if mapping is None:
        look_at_headings(file, found, kind)
    read.require_columns(found)
    return read


def form_of(file: Path) -> Format:
    """How the rows of a file are written, by its name."""
    return Format.JSON_LINES if file.suffix.lower() in {".json", ".jsonl", ".ndjson"} else Format.CSV


def known_encoding(encoding: str | None) -> str | None:
    """The encoding that somebody named, by its usual name; one in which no text can be ends the command."""
    usual = None if encoding is None else encoding_named(encoding)
    if encoding is not None and usual is None:
        fail("--encoding names no known encoding: utf-8, gb18030, big5hkscs ...", Exit.USAGE)
    return usual


def intake_of(node: Node, kind: Kind, source: str, *, provider: PartyId, attested: Attested | None) -> Intake:
    """What rows of a file are measured by at this node; ends the command where none of them would be taken in.

    Without `attested` rows are only looked at, and nothing enters: from where and by whom is then not asked.
    """
    intake = open_intake(
        kind,
        node.law,
        provider=provider,
        source_system=source,
        today=shanghai_day(utc_now()),
        registered=None if attested is None else _registered(node, provider),
        attested=attested,
    )
    if isinstance(intake, Refused):
        fail_refused(intake)
    return intake


def listing_of(node: Node, party: PartyId) -> Listing | None:
    """How the registry lists a party now."""
    with node.store.read() as work:
        return node.facts(work).snapshot.party(party)


def _registered(node: Node, provider: PartyId) -> frozenset[PartyId]:
    """The provider if somebody answers for it; a node that no authority has listed yet may load its own records."""
    listing = listing_of(node, provider)
    own = listing is None and provider == node.party
    return frozenset({provider}) if own or (listing is not None and listing.is_active) else frozenset()


def documents_in(paths: Sequence[Path]) -> Iterator[bytes]:
    """The signed documents in these files and in the *.json files of these folders, one in each file or each line."""
    for file in files_in(paths):
        yield from documents_of(file)


def files_in(paths: Sequence[Path]) -> Iterator[Path]:
    """These files, and the *.json files of these folders by name."""
    for path in paths:
        yield from sorted(path.glob("*.json")) if path.is_dir() else [path]


def documents_of(file: Path) -> Iterator[bytes]:
    """The signed documents in a file, one in each line."""
    return filter(None, file.read_bytes().splitlines())


def declarations_in(paths: Sequence[Path] | None, node: Node) -> Signed:
    """The signed declarations in these files and folders.

    A file that was named and holds something else, or one that does not verify, ends the command; of a folder, it is
    said how many do not.
    """
    found: dict[str, SelfDeclaration | Finding] = {}
    for path in paths or ():
        read = read_declarations(documents_in([path]), node.rule_pack)
        wrong = [one.reason for one in read.values() if isinstance(one, Finding)]
        told = f"{path}: {len(wrong)} of {len(read)} documents are no declarations that verify"
        told += f"  {len(read)} 份文件中有 {len(wrong)} 份不是有效申报"
        illegible = ILLEGIBLE.issuperset(wrong)
        if not path.is_dir() and len(wrong) == len(read) and illegible:
            fail(f"{path} holds no signed declaration  文件中没有已签名的申报", Exit.USAGE)
        if not path.is_dir() and wrong:
            fail(told, Exit.USAGE if illegible else Exit.REFUSED)
        if wrong:
            err.print(f"creditport: note: {told}", markup=False)
        found |= read
    return found


def _attested(node: Node, files: Sequence[Path], declarations: Sequence[Path] | None) -> Attested:
    """What these attestations cover; the first that is nobody's word ends the command."""
    with node.store.read() as work:
        known = node.facts(work)
    found = []
    for file in files:
        opened = open_attestation(bytes_of(file), known.snapshot, utc_now(), known.law.rules.reference)
        if isinstance(opened, Refused):
            code = Exit.USAGE if opened.reason in ILLEGIBLE else Exit.REFUSED
            fail(f"{file.name}: {opened.reason}: {opened.detail}", code)
        found.append(opened)
    return attested_in(found, declarations_in(declarations, node))


def _order(node: Node, operator: str, read: Source, intake: Intake, **choices: bool) -> Import:
    """Have the operator sign for the very bytes of the file."""
    who = ordering(node, operator)
    with read.file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").digest()
    with node.store.write() as work:
        ordered = order(work, who, Role.RECORDS, digest, node.context)
        if isinstance(ordered, NotAllowed):
            fail(ordered.why, Exit.REFUSED)
        work.commit()
    return Import(intake=intake, order=ordered, law=node.law, **choices)


def _load(
    node: Node, rows: Iterator[Sheet | Row | BadRow], ordered: Import, report: ImportReport, stream: IO[bytes]
) -> None:
    with _progress() as bar:
        task = bar.add_task(Path(stream.name).name, total=Path(stream.name).stat().st_size, rows=0)
        read = 0
        for progress in import_rows(rows, ordered, node.store, node.context):
            report.done = Counter(progress.outcomes)
            report.done["rows"] = progress.rows
            report.take(progress.rejects)
            report.note(progress.remarks)
            bar.update(task, completed=read, rows=progress.rows)
            read = stream.tell()  # one batch may be read ahead: what is read by now is stored the next time


def _say(report: ImportReport, file: Path, *, as_json: bool) -> None:
    """Say what became of the rows, and end with the code that this has."""
    report.say(as_json=as_json)
    if not report.done["rows"]:
        below = " below its headings" if form_of(file) is Format.CSV else ""
        err.print(f"creditport: {file.name} has no row{below}  文件没有数据行", markup=False)
    rejects = report.rejects
    if rejects is not None and rejects.failure is not None:
        why = rejects.failure.strerror
        fail(f"{rejects.path} cannot be written whole: {why}; importing the file again names them again", Exit.LOCAL)
    if report.done["rejected"]:
        raise typer.Exit(int(Exit.REFUSED))


def _progress() -> Progress:
    """How far into the file, since nobody knows its rows before they are read."""
    said = TextColumn("loading {task.description}", markup=False)
    columns = (said, BarColumn(), TextColumn("{task.fields[rows]:,} rows"), TimeRemainingColumn())
    return Progress(*columns, console=err, transient=True, disable=not sys.stderr.isatty())
