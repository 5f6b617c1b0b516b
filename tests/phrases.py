"""Every phrase that the code can put into a `Problem`, read from its source without importing it.

A phrase is followed back from where a `Problem` is made: through constants, tables, enums, conditions and texts with
gaps, through the functions that answer with one, and through whatever function takes one and hands it on. What cannot
be followed is an error that names its place, so that a new way to write a phrase is never overlooked.
"""

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_GAP: Final = "{}"
PROBLEM: Final = ("node.domain.identifiers", "Problem")
_TAKES: Final = ("field", "expected", "got")


@dataclass(frozen=True)
class Sink:
    """A function by its module and name (of a method: Class.name), and where it takes the words of a problem."""

    function: tuple[str, str]
    takes: int
    keyword: str


@dataclass(frozen=True)
class Module:
    """One file of source; `parents` say what each node of it stands in."""

    name: str
    tree: ast.Module

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def calls(self) -> list[ast.Call]:
        return [one for one in ast.walk(self.tree) if isinstance(one, ast.Call)]

    @cached_property
    def imported(self) -> dict[str, tuple[str, str]]:
        """Names that come from elsewhere: the module and the name there."""
        return {
            one.asname or one.name: (node.module or "", one.name)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom)
            for one in node.names
        }

    @cached_property
    def constants(self) -> dict[str, ast.expr]:
        return dict(_assigned(self.tree.body))

    @cached_property
    def functions(self) -> dict[str, _Function]:
        return {one.name: one for one in self.tree.body if isinstance(one, _FUNCTIONS)}

    @cached_property
    def classes(self) -> dict[str, ast.ClassDef]:
        return {one.name: one for one in self.tree.body if isinstance(one, ast.ClassDef)}

    def enclosing(self, node: ast.AST) -> _Function | None:
        """The function that a node stands in."""
        at = self.parents.get(node)
        while at is not None and not isinstance(at, _FUNCTIONS):
            at = self.parents.get(at)
        return at if isinstance(at, _FUNCTIONS) else None

    def name_of(self, function: _Function) -> tuple[str, str]:
        """What a function is called from elsewhere."""
        owner = self.parents.get(function)
        return self.name, f"{owner.name}.{function.name}" if isinstance(owner, ast.ClassDef) else function.name

    def called(self, function: ast.expr) -> frozenset[tuple[str, str]]:
        """What may be meant by an expression: a function, or a method of any class that the module knows."""
        match function:
            case ast.Name(id=name):
                return frozenset([self.imported.get(name, (self.name, name))])
            case ast.Attribute(attr=name):
                classes = [*self.imported.values(), *((self.name, one) for one in self.classes)]
                return frozenset((where, f"{one}.{name}") for where, one in classes)
            case _:
                return frozenset()

    def place(self, node: ast.AST) -> str:
        return f"{self.name.replace('.', '/')}.py:{getattr(node, 'lineno', 0)}"


def _assigned(body: Sequence[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for one in body:
        if isinstance(one, ast.Assign):
            yield from ((target.id, one.value) for target in one.targets if isinstance(target, ast.Name))
        elif isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.value is not None:
            yield one.target.id, one.value


@dataclass
class Phrases:
    """What some modules tell in a problem: each phrase with a place that says it, and what could not be followed."""

    modules: dict[str, Module]
    told: tuple[str, ...]
    sinks: set[Sink]
    found: dict[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, modules: Iterable[Module], *told: str) -> "Phrases":
        """What modules tell as these parts of a problem."""
        sinks = {Sink(PROBLEM, _TAKES.index(one), one) for one in told}
        phrases = cls({one.name: one for one in modules}, told, sinks)
        known = 0
        while known < len(phrases.sinks):  # each function that hands phrases on brings calls of its own
            known = len(phrases.sinks)
            for module in phrases.modules.values():
                phrases._look_at(module)
        return phrases

    def _look_at(self, module: Module) -> None:
        wanted = {"replace", *(one.function[1].rpartition(".")[2] for one in self.sinks)}
        for call in module.calls:
            if _last_word(call.func) in wanted:
                self._call(module, call)
            for given in (*call.args, *(one.value for one in call.keywords)):
                if _last_word(given) in wanted:
                    self._handed_on(module, call, given)

    def _call(self, module: Module, call: ast.Call) -> None:
        if _last_word(call.func) == "replace" and PROBLEM in module.imported.values():
            self._take([one.value for one in call.keywords if one.arg in self.told], module)
        called = module.called(call.func)
        for sink in {one for one in self.sinks if one.function in called}:
            given = [one.value for one in call.keywords if one.arg == sink.keyword] or call.args[sink.takes :][:1]
            if not given or any(isinstance(one, ast.Starred) for one in call.args):
                self.lost.add(f"{module.place(call)}: {ast.unparse(call)}")
            self._take(given, module)

    def _take(self, given: Sequence[ast.expr], module: Module) -> None:
        for one in given:
            for phrase in self._said(one, module, is_told=True):
                self.found.setdefault(phrase, module.place(one))

    def _handed_on(self, module: Module, call: ast.Call, given: ast.expr) -> None:
        """A function that takes phrases may be called, but not be given to somebody who might call it."""
        meant = module.called(given) & {one.function for one in self.sinks}
        if meant and _last_word(call.func) != "isinstance":
            self.lost.add(f"{module.place(given)}: {ast.unparse(call)}")

    def _said(self, node: ast.expr, module: Module, *, is_told: bool) -> Iterator[str]:
        """What an expression can say. A parameter is a gap, or, if it `is_told` as it is, makes its function a sink."""
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.JoinedStr():
                yield "".join(str(one.value) if isinstance(one, ast.Constant) else _GAP for one in node.values)
            case ast.Call(func=ast.Name(id="str")) | ast.Subscript(slice=ast.Slice()):
                yield _GAP
            case ast.Attribute(attr=part) if is_told and part in self.told:
                pass  # of another problem, where that was made
            case ast.Name(id=name):
                yield from self._named(node, name, module, is_told=is_told)
            case _:
                parts = _parts(node, module)
                if not parts:
                    self.lost.add(f"{module.place(node)}: {ast.unparse(node)}")
                for one in parts:
                    # What a function answers with is made of its parameters, and not told by whoever calls it.
                    yield from self._said(one, module, is_told=is_told and not _is_answer(node))

    def _named(self, node: ast.Name, name: str, module: Module, *, is_told: bool) -> Iterator[str]:
        function = module.enclosing(node)
        own = [] if function is None else [value for known, value in _everything_in(function) if known == name]
        takes = [] if function is None else [one.arg for one in function.args.args]
        elsewhere, there = module.imported.get(name, ("", ""))
        if own:
            for value in own:
                yield from self._said(value, module, is_told=is_told)
        elif function is not None and name in takes:
            if not is_told:
                yield _GAP
            else:
                itself = takes[0] == "self"
                self.sinks.add(Sink(module.name_of(function), takes.index(name) - itself, name))
        elif name in module.constants:
            yield from self._said(module.constants[name], module, is_told=is_told)
        elif elsewhere in self.modules and there in self.modules[elsewhere].constants:
            yield from self._said(self.modules[elsewhere].constants[there], self.modules[elsewhere], is_told=is_told)
        else:
            self.lost.add(f"{module.place(node)}: {name}")


def _parts(node: ast.expr, module: Module) -> list[ast.expr]:
    """The expressions of which another one says one; none where nobody can tell."""
    match node:
        case ast.IfExp():
            return [node.body, node.orelse]
        case ast.Call(func=ast.Attribute(value=inner, attr="format")):
            return [inner]
        case ast.Call(func=ast.Name(id=name)) if name in module.functions:
            answers = [one.value for one in ast.walk(module.functions[name]) if isinstance(one, ast.Return)]
            return [one for one in answers if one is not None]
        case ast.Subscript(value=ast.Name(id=name)):
            table = module.constants.get(name)
            return table.values if isinstance(table, ast.Dict) else []
        case ast.Attribute(value=ast.Name(id=name), attr="value"):
            return _members(module, module.enclosing(node), name)
        case _:
            return []


def _members(module: Module, function: _Function | None, parameter: str) -> list[ast.expr]:
    """The values of the enum that a parameter is of."""
    kinds = {} if function is None else {one.arg: one.annotation for one in function.args.args}
    kind = kinds.get(parameter)
    enum = module.classes.get(kind.id) if isinstance(kind, ast.Name) else None
    return [] if enum is None else [value for _, value in _assigned(enum.body)]


def _is_answer(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


def _last_word(expression: ast.expr) -> str:
    """The name that an expression is or ends in."""
    match expression:
        case ast.Name(id=word) | ast.Attribute(attr=word):
            return word
        case _:
            return ""


def _everything_in(function: _Function) -> Iterator[tuple[str, ast.expr]]:
    """What a function gives names to, wherever in it."""
    yield from _assigned([one for one in ast.walk(function) if isinstance(one, ast.stmt)])


@cache
def modules_in(*folders: str, word: str = "") -> tuple[Module, ...]:
    """Every module in these folders of the product in which that word stands."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    names = [str(path.relative_to(ROOT).with_suffix("")).replace("/", ".") for path in paths]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    return tuple(module_of(name, text) for name, text in zip(names, texts, strict=True) if word in text)


def module_of(name: str, text: str) -> Module:
    return Module(name, ast.parse(text))
