"""Looking for secrets in bytes: plain, UTF-16, hexadecimal, base64, and inside compressed streams."""

import base64
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SHORT_NUMBER = 12
BEGINNING = 6
MANY = 500
LARGEST_INFLATED = 1 << 24
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
_EMPTINESS = re.compile(rb"\x00{16,}")
"""Databases are mostly empty; nothing that is searched for holds so many zeros in a row."""
_A_LOOK = 4096
_ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS


def spellings(secret: bytes) -> Iterator[bytes]:
    """Every form in which these bytes may be written into other bytes."""
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield from _base64_inside(secret, encode)


def _base64_inside(secret: bytes, encode: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """The characters that depend on the secret alone, for each place in a group of three where it may begin."""
    for before in range(3):
        written = encode(bytes(before) + secret)
        # Up to the last six bits of its own: a day cut to its month would be in digests by chance.
        yield written[(before * 8 + 5) // 6 : (before + len(secret)) * 8 // 6]


def text_spellings(text: str) -> Iterator[bytes]:
    """The same for a text, and in the two encodings of UTF-16."""
    yield from spellings(text.encode())
    yield text.encode("utf-16-le")
    yield text.encode("utf-16-be")


@dataclass(frozen=True)
class Searcher:
    """Finds any of many secrets, each known by a name, so that a failure tells where and what without the secret."""

    patterns: dict[bytes, str]
    numbers: dict[bytes, str]

    @classmethod
    def of(cls, texts: dict[str, str], keys: dict[str, bytes] | None = None) -> "Searcher":
        """Search for texts and for raw bytes, each under a name.

        A short number may stand in a digest by chance, so in plain it counts only with no digit of one beside it.
        """
        patterns: dict[bytes, str] = {}
        numbers: dict[bytes, str] = {}
        for name, text in texts.items():
            forms = list(dict.fromkeys(text_spellings(text)))
            if text.isdigit() and len(text) < SHORT_NUMBER:
                numbers[forms.pop(0)] = name
            patterns |= dict.fromkeys(forms, name)
        for name, key in (keys or {}).items():
            patterns |= dict.fromkeys(spellings(key), name)
        if any(len(form) < BEGINNING for form in (*patterns, *numbers)):
            raise ValueError("something this short is found everywhere")
        return cls(patterns, numbers)

    def find(self, raw: bytes) -> set[str]:
        """The names of all secrets in these bytes, or in what is compressed within them."""
        return {name for blob in (raw, *_inflated(raw)) for name in self._in(_EMPTINESS.sub(bytes(16), blob))}

    def find_in_folder(self, folder: Path) -> dict[str, set[str]]:
        """The names of the secrets in each file below a folder."""
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        found = {str(path.relative_to(folder)): self.find(path.read_bytes()) for path in files}
        return {path: names for path, names in found.items() if names}

    def _in(self, blob: bytes) -> Iterator[str]:
        """Read the bytes once for the beginnings of all that is wanted, if that is much; then look for each of them."""
        beginnings = {pattern[:BEGINNING] for pattern in self.patterns} | {
            number[:BEGINNING] for number in self.numbers
        }
        if len(beginnings) > MANY:
            beginnings = beginnings.intersection(blob[at : at + BEGINNING] for at in range(len(blob)))
        for pattern, name in self.patterns.items():
            if pattern[:BEGINNING] in beginnings and pattern in blob:
                yield name
        for number, name in self.numbers.items():
            if number[:BEGINNING] in beginnings and _alone(number).search(blob):
                yield name


def _alone(number: bytes) -> "re.Pattern[bytes]":
    """The number, but not as a part of a digest or of base64."""
    return re.compile(rb"(?<![0-9A-Za-z+/_-])" + number + rb"(?![0-9A-Za-z+/_=-])")


def _inflated(raw: bytes) -> Iterator[bytes]:
    """What is compressed within: tried wherever it could begin, which mostly shows at once that nothing did."""
    whole = memoryview(raw)
    for start in _ZLIB.finditer(raw):
        rest = whole[start.start() :]
        if _opened(rest[:_A_LOOK]) is not None and (opened := _opened(rest)):
            yield opened


def _opened(raw: memoryview) -> bytes | None:
    """The beginning of a compressed stream, maybe nothing yet; None if it is none. On failure zlib copies the rest."""
    try:
        return zlib.decompressobj(_ZLIB_OR_GZIP).decompress(raw, LARGEST_INFLATED)
    except zlib.error:
        return None
