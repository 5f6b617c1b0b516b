"""What a file defines, read without importing it: so that documents may name tests and places, and be held to it."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache, reduce
from pathlib import Path
from typing import Any

from docs.write_compliance import ROOT, file_of


@cache
def names_of_tests(path: Path) -> frozenset[str]:
    """The tests of a file as pytest names them, without parameters: `test_x`, or `TestX::test_x` of a class."""
    if not path.is_file():
        return frozenset()
    found = (name.replace(".", "::") for name, node in _definitions(path) if isinstance(node, _FUNCTIONS))
    return frozenset(name for name in found if name.rpartition("::")[2].startswith("test_"))


def is_test(named: str) -> bool:
    """Whether `tests/….py::name` is there."""
    file, _, name = named.partition("::")
    return file.startswith("tests/") and name in names_of_tests(ROOT / file)


def is_place(named: str) -> bool:
    """Whether `module.name`, `file.toml: key.path` or `file.proto: Name` is there."""
    file = ROOT / file_of(named)
    if not file.is_file():
        return False
    _, colon, inner = named.partition(": ")
    if not colon:
        return _within(named, file) in {name for name, _ in _definitions(file)}
    if file.suffix == ".toml":
        return _leads_somewhere(_tables(file), inner.split("."))
    words = re.findall(r"^\s*(?:message|service|enum|rpc) (\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    return file.suffix == ".proto" and inner in words


@cache
def _tables(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _within(named: str, file: Path) -> str:
    module = str(file.relative_to(ROOT).with_suffix("")).replace("/", ".").removesuffix(".__init__")
    return named.removeprefix(f"{module}.")


def _leads_somewhere(table: Any, keys: list[str]) -> bool:
    """Whether the keys lead through the table; of a list of tables, whether some of them has the key."""
    missing = object()

    def step(at: Any, key: str) -> Any:
        if isinstance(at, list):
            at = next((one for one in at if isinstance(one, dict) and key in one), missing)
        return at.get(key, missing) if isinstance(at, dict) else missing

    return reduce(step, keys, table) is not missing


@cache
def _definitions(path: Path) -> tuple[tuple[str, ast.stmt], ...]:
    """What a module and its classes define, by dotted name; what is inside functions is nobody else's."""
    return tuple(_named(ast.parse(path.read_text(encoding="utf-8")).body, ""))


def _named(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.stmt]]:
    for node in body:
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            yield prefix + node.name, node
        if isinstance(node, ast.ClassDef):
            yield from _named(node.body, f"{prefix}{node.name}.")
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        yield from ((prefix + target.id, node) for target in targets if isinstance(target, ast.Name))
