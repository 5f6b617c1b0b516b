"""The text of a file that somebody else wrote: its encoding is found, and its lines come some at a time."""

import codecs
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, cast

LONGEST_LINE: Final = 1024 * 1024
"""So many characters of a line are read; what follows them is passed over."""
_SAMPLE: Final = 64 * 1024
_LOW_TRAILS_OF_BIG5: Final = 0.2
_STRAY_SHARE: Final = 2
_COMPANY: Final = tuple("公司".encode(encoding) for encoding in ("gb18030", "big5hkscs"))
_PAIR: Final = re.compile(rb"[\x81-\xfe]([\x40-\x7e\x80-\xfe])")
_WITHOUT_SURROGATES: Final = frozenset({"utf-8", "utf-8-sig", "utf-16"})
"""Decoding these puts a mark in the place of a surrogate, too."""
_REPLACEMENT: Final = "\ufffd"  # what decoding leaves in the place of a stray byte
# A mark for those that want one, and every byte.
_TRIAL: Final = codecs.BOM_UTF32_LE + bytes(range(256))


@contextmanager
def opened_text(stream: BinaryIO, encoding: str | None) -> Iterator[io.TextIOWrapper]:
    """The text of a stream, which is left open."""
    buffered = io.BufferedReader(cast("io.RawIOBase", stream), _SAMPLE)
    name = encoding or detect_encoding(buffered.peek(_SAMPLE))
    text = io.TextIOWrapper(buffered, encoding=name, errors="replace", newline="")
    try:
        yield text
    finally:
        text.detach().detach()


def detect_encoding(sample: bytes) -> str:
    """Name the encoding of Chinese text: UTF-8 (marked or not), UTF-16 by its mark, Big5, else GB18030.

    Lists of enterprises say 公司, in one of the two. Where they do not: half of all Big5 characters end in a byte below
    0x80; in GB 2312 none do, and few in what GB18030 adds.
    """
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if _is_utf8(sample):
        return "utf-8-sig" if sample.startswith(codecs.BOM_UTF8) else "utf-8"
    simplified, traditional = (sample.count(word) for word in _COMPANY)
    if simplified != traditional:
        return "gb18030" if simplified > traditional else "big5hkscs"
    trails = _PAIR.findall(sample)
    low = sum(trail < b"\x80" for trail in trails)
    return "big5hkscs" if low > _LOW_TRAILS_OF_BIG5 * len(trails) else "gb18030"


def _is_utf8(sample: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)  # a character cut off at the end is no error
    except UnicodeDecodeError:
        # A few stray bytes among many good characters are damaged rows, not another encoding.
        kept = sample.decode("utf-8", "ignore")
        return _STRAY_SHARE * (len(sample) - len(kept.encode())) < sum(letter > "\x7f" for letter in kept)
    return True


def blocks_of(text: io.TextIOWrapper) -> Iterator[list[str]]:
    """The physical lines, some at a time; of one longer than any row, the beginning, so that memory stays flat."""
    block, size = list[str](), 0
    while line := text.readline(LONGEST_LINE + 1):
        block.append(line)
        size += len(line)
        while len(line) > LONGEST_LINE and not line.endswith(("\r", "\n")):
            line = text.readline(LONGEST_LINE + 1) or "\n"
        if size > _SAMPLE:
            yield block
            block, size = [], 0
    yield block


def encoding_named(name: str) -> str | None:
    """An encoding of text by its usual name, None if there is none of that name that any bytes can be read in."""
    try:
        usual = codecs.lookup(name).name
        io.TextIOWrapper(io.BytesIO(_TRIAL), encoding=usual, errors="replace").read()
    except (LookupError, UnicodeError):
        return None
    return usual


def stray_test(text: io.TextIOWrapper) -> Callable[[str], bool]:
    """What tells of a piece of such a text whether bytes of another encoding were in it."""
    return _is_replaced if text.encoding in _WITHOUT_SURROGATES else has_stray_bytes


def _is_replaced(text: str) -> bool:
    """Whether decoding left a mark in the text."""
    return _REPLACEMENT in text


def has_stray_bytes(text: str) -> bool:
    """Whether decoding left a mark in the text, or a surrogate, which UTF-8 has no place for."""
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return _REPLACEMENT in text
