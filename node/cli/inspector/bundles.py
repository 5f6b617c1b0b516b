"""Bundle files and authority cards as an inspector names them, and one sentence when something is wrong with them."""

import functools
import os
from collections.abc import Callable, Iterator
from errno import EACCES
from pathlib import Path
from typing import Annotated, ParamSpec, TypeVar

import typer

from crypto.errors import CryptoError
from node.cli.screen import Exit, err, fail
from node.config import ConfigError
from node.domain.evidence.counterparts import node_of
from node.domain.evidence.lines import split
from node.keys import KeysError
from node.wire.errors import PeerUnreachable
from registry.errors import RegistryError
from registry.parties import ListedCard, parse_fingerprint, read_card

P = ParamSpec("P")
R = TypeVar("R")

JsonFlag = Annotated[bool, typer.Option("--json", help="Write JSON for programs instead of a table for people.")]
BundleFile = Annotated[Path, typer.Argument(help="A bundle that `fetch` wrote.", show_default=False)]
Authorities = Annotated[
    list[str],
    typer.Option(
        "--authority",
        envvar="CREDITPORT_AUTHORITIES",
        help="An authority's card to believe: CARD-FILE@FINGERPRINT. May be repeated.",
        show_default=False,
    ),
]
STATED = "as the node states it; `verify` proves it · 以上为节点陈述，须以 verify 核验"


def one_sentence(command: Callable[P, R]) -> Callable[P, R]:
    """Turn what can go wrong on purpose into one sentence and an exit code; bugs stay visible."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (ConfigError, KeysError) as error:
            fail(str(error), Exit.LOCAL, "creditport-inspect")
        except RegistryError as error:
            fail(str(error), Exit.USAGE, "creditport-inspect")
        except PeerUnreachable as error:
            fail(str(error), Exit.NOT_NOW, "creditport-inspect")
        except BrokenPipeError:
            raise  # who reads has left, `| head` for one: the program ends without a word
        except OSError as error:
            fail(f"{error.filename or 'a file'}: {error.strerror or error}", Exit.LOCAL, "creditport-inspect")
        except KeyboardInterrupt:
            fail("interrupted; nothing was changed", Exit.INTERRUPTED, "creditport-inspect")

    return run


def lines_of(file: Path) -> Callable[[], Iterator[bytes]]:
    """The lines of a bundle, from the first one each time it is called; NOT CHECKABLE if it cannot be opened."""
    if not file.is_file():
        fail(f"{file} is no bundle file: fetch one with `creditport-inspect fetch`", Exit.USAGE, "creditport-inspect")
    if not os.access(file, os.R_OK):
        fail(f"{file} cannot be read: {os.strerror(EACCES)}", Exit.USAGE, "creditport-inspect")

    def lines() -> Iterator[bytes]:
        with file.open("rb", buffering=1 << 20) as opened:
            yield from split(opened)

    return lines


def stated(file: Path) -> Iterator[bytes]:
    """The lines of a bundle, of which somebody wants to see what they say."""
    lines = lines_of(file)
    if node_of(lines()) is None:
        fail(f"{file} is no bundle of a format that this program reads", Exit.USAGE, "creditport-inspect")
    return lines()


def cards_of(named: list[str]) -> list[ListedCard]:
    """The authority cards that were named, each with the fingerprint that somebody compared."""
    return [_card(one) for one in named]


def remind() -> None:
    """Say on a terminal that what was shown is only stated."""
    if err.is_terminal:
        err.print(STATED, style="dim", markup=False)


def _card(text: str) -> ListedCard:
    file, _, digits = text.rpartition("@")
    try:
        wanted = parse_fingerprint(digits)
    except RegistryError:
        fail("--authority expects CARD-FILE@FINGERPRINT", Exit.USAGE, "creditport-inspect")
    try:
        card = read_card(Path(file).read_bytes())
    except (CryptoError, RegistryError):
        fail(f"{file} is no sound party card", Exit.USAGE, "creditport-inspect")
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}", Exit.USAGE, "creditport-inspect")
    if card.digest != wanted:
        fail(f"{file} is not the card with this fingerprint: compare it again", Exit.USAGE, "creditport-inspect")
    if not card.card.party_class.is_authority:
        fail(f"{file} is the card of {card.card.party}, which is no authority", Exit.USAGE, "creditport-inspect")
    return card
