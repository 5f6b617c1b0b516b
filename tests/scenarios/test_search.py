"""The control of the search for secrets: planted in every form, they are found; what is not there is not."""

import base64
import gzip
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.search import Searcher

NAME, NUMBER, KEY = "深圳市示例进出口有限公司", "20190327", bytes(range(7, 39))
SEARCHER = Searcher.of({"name": NAME, "number": NUMBER}, {"key": KEY})

FORMS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda raw: raw,
    "hex": lambda raw: raw.hex().encode(),
    "upper-case hex": lambda raw: raw.hex().upper().encode(),
    "base64": base64.b64encode,
    "base64, one byte on": lambda raw: base64.b64encode(b"x" + raw),
    "base64, two bytes on": lambda raw: base64.b64encode(b"xy" + raw + b"z"),
    "base64 for addresses": lambda raw: base64.urlsafe_b64encode(b"x" + raw + b"\xff\xfe"),
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "hex in zlib": lambda raw: zlib.compress(raw.hex().encode(), 9),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("name", "secret"), [("name", NAME.encode()), ("number", NUMBER.encode()), ("key", KEY)])
def test_a_planted_secret_is_found_in_every_form(tmp_path: Path, form: str, name: str, secret: bytes) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").write_bytes(os.urandom(999) + b"=" + FORMS[form](secret) + b"\n" + os.urandom(999))

    assert name in SEARCHER.find_in_folder(tmp_path)["below/file"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(("name", "text"), [("name", NAME), ("number", NUMBER)])
def test_a_planted_text_is_found_in_both_orders_of_utf_16(name: str, text: str, encoding: str) -> None:
    assert SEARCHER.find(os.urandom(99) + text.encode(encoding) + os.urandom(99)) == {name}


def test_nothing_is_found_where_nothing_is() -> None:
    assert SEARCHER.find(os.urandom(100_000) + NAME[:-1].encode() + KEY[1:].hex().encode()) == set()


def test_a_number_within_a_digest_is_chance() -> None:
    assert SEARCHER.find(b"d41d8cd98f00" + NUMBER.encode() + b"b204e9800998ecf8") == set()


def test_the_month_of_a_day_within_a_digest_is_chance_in_base64_too() -> None:
    assert SEARCHER.find(base64.b64encode(b"d41" + NUMBER[:6].encode() + b"f00b204e9800998ecf8")) == set()
