"""What every command starts from: the node's folder, passphrases, the operator; and one sentence when it fails."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, ParamSpec, TypeVar

import typer

from node.app.opening import Node, opened
from node.cli.inputs import is_readable, passphrase
from node.cli.screen import Exit, fail
from node.config import ConfigError, Folder
from node.domain.errors import DomainError
from node.domain.operators import SigningOperator
from node.keys import KeysError, open_operator_key
from node.storage.errors import StorageError

P = ParamSpec("P")
R = TypeVar("R")

JsonFlag = Annotated[bool, typer.Option("--json", help="Write JSON for programs instead of a table for people.")]
NodeFolder = Annotated[
    Path,
    typer.Option("--node", envvar="CREDITPORT_NODE", help="The node's folder.", show_default="this folder"),
]
OperatorName = Annotated[
    str,
    typer.Option("--as", envvar="CREDITPORT_OPERATOR", help="The operator who orders this.", show_default=False),
]

HERE = Path()


def one_sentence(command: Callable[P, R]) -> Callable[P, R]:
    """Turn what can go wrong on purpose into one sentence and an exit code; bugs stay visible."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if not all(is_readable(value) for value in kwargs.values()):
            fail("what was typed is not UTF-8 text  输入不是 UTF-8 文本", Exit.USAGE)
        try:
            return command(*args, **kwargs)
        except (ConfigError, KeysError, StorageError, DomainError) as error:
            fail(str(error), Exit.LOCAL)
        except BrokenPipeError:
            raise  # who reads has left, `| head` for one: the program ends without a word
        except OSError as error:
            fail(f"{error.filename or 'a file'}: {error.strerror or error}", Exit.LOCAL)
        except KeyboardInterrupt:
            fail(
                "interrupted; what was committed stays, and queued jobs go on while the node serves",
                Exit.INTERRUPTED,
            )

    return run


@contextmanager
def reading(folder: Path) -> Iterator[Node]:
    """Open a node without its keys, to look at it."""
    with opened(Folder(folder)) as node:
        yield node


@contextmanager
def acting(folder: Path) -> Iterator[Node]:
    """Open a node with its keys."""
    with opened(Folder(folder), passphrase("CREDITPORT_PASSPHRASE", f"Passphrase of the node in {folder}")) as node:
        yield node


def ordering(node: Node, name: str, variable: str = "CREDITPORT_OPERATOR_PASSPHRASE") -> SigningOperator:
    """Open the key of an operator who orders an act, or approves it."""
    path = node.folder.operator(name)
    key = open_operator_key(path, name, lambda: passphrase(variable, f"Passphrase of operator {name}"))
    return SigningOperator(name=name, key=key)
