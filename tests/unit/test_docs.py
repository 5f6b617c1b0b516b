"""The documents keep their word: links lead somewhere, named tests exist, everything that must be listed is."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from node.cli import main as operator
from node.cli.inspector import main as inspector
from node.wire.methods import Method
from tests.named import names_of_tests

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "crypto", "registry", "agreements", "node", "proto", "tests", "deploy", "bench")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))])
THREATS = ROOT / "docs" / "threat-model.md"

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)(\[[^`]*\])?`")
COMMAND = re.compile(r"(?<![\w/`])(creditport(?:-inspect)?) ([^|&>)#\n]+)")
COLUMNS = ["threat", "control", "shipped default", "test", "open"]


def without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", without_code(page.read_text(encoding="utf-8")), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    lost = []
    for link in LINK.findall(without_code(page.read_text(encoding="utf-8"))):
        target, _, anchor = link.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        aim = (page.parent / target).resolve() if target else page
        if not aim.exists() or (anchor and anchor not in anchors(aim)):
            lost.append(link)

    assert lost == []


def threat_rows() -> Iterator[list[str]]:
    """The cells of every row of the tables of threats."""
    wanted = False
    for line in THREATS.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if cells[-len(COLUMNS) :] == COLUMNS:
            wanted = True
        elif not cells:
            wanted = False
        elif wanted and not set("".join(cells)) <= set("-: "):
            yield cells


def test_every_test_that_the_threat_model_names_exists() -> None:
    named = NAMED_TEST.findall(THREATS.read_text(encoding="utf-8"))
    lost = [f"{path}::{name}" for path, name, _ in named if name not in names_of_tests(ROOT / path)]

    assert named
    assert lost == []


def test_every_threat_names_a_test_or_says_what_is_open() -> None:
    rows = list(threat_rows())
    silent = [row[0] for row in rows if not NAMED_TEST.search(row[-2]) and row[-1] in {"", "-"}]

    assert rows
    assert silent == []


def test_every_message_of_the_wire_has_its_threats() -> None:
    subjects = {row[0].split(":")[0] for row in threat_rows()}

    assert {method.short_name for method in Method} | {"Health, reflection"} <= subjects


def shell_lines(page: Path) -> Iterator[list[str]]:
    """The commands of this product's programs in a page's shell examples, as words."""
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"```(?:sh|console)\n(.*?)```", text, flags=re.DOTALL):
        for program, command in COMMAND.findall(block.replace("\\\n", " ")):
            yield [program, *shlex.split(command)]


def unknown_in(words: list[str]) -> list[str]:
    """The words of a command line that the program does not know: a missing command, or its unknown options."""
    program = {"creditport": operator, "creditport-inspect": inspector}[words[0]].program()
    command, rest = typer.main.get_command(program), words[1:]
    while subcommands := getattr(command, "commands", None):
        if not rest or rest[0] not in subcommands:
            return rest[:1] or ["a command"]
        command = subcommands[rest.pop(0)]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return [word for word in rest if word.startswith("--") and word not in known | {"--help"}]


def test_every_command_in_the_documents_is_one_that_the_program_has() -> None:
    shown = [(page.name, words) for page in PAGES for words in shell_lines(page)]
    lost = [(name, " ".join(words)) for name, words in shown if unknown_in(words)]

    assert len(shown) > 20
    assert lost == []


@pytest.mark.parametrize("folder", ["protocol", "decisions"])
def test_the_index_of_a_folder_lists_every_page(folder: str) -> None:
    pages = {page.name for page in (ROOT / "docs" / folder).glob("*.md")} - {"README.md"}
    listed = set(LINK.findall((ROOT / "docs" / folder / "README.md").read_text(encoding="utf-8")))

    assert pages - listed == set()


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120
