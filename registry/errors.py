"""What can be wrong with registry facts and norm packs.

    RegistryError
    ├── UnfitFact              a well-formed, perhaps well-signed fact that breaks a rule of the registry
    │   ├── BadCard            a party card
    │   ├── BadStatement       a statement of an authority
    │   └── BadHead            a head of an authority's log
    ├── BadFingerprint         text that does not spell a fingerprint
    ├── NotToml                text that is not TOML, or not such as can be read
    ├── BadPack                a rule pack, catalogue, calendar or code list that must not be used
    │   ├── NotAPack           a file that is none at all: not TOML, or not of the fields of any kind of pack
    │   └── IncompleteEntry    a catalogue entry without a part that it must have (S 17)
    └── CalendarUnavailable    a day outside every calendar pack: nothing is guessed (rule 10)

Bytes that are not canonical, not signed or wrongly signed raise `crypto.errors.CryptoError` unchanged.
Messages name field, expected and got; `got` describes, or quotes a code, never content.
"""


class RegistryError(Exception):
    """Every error this room raises on purpose."""


class UnfitFact(RegistryError):
    """A fact that breaks a rule: `field` was to be `expected` and is `got`."""

    def __init__(self, field: str, expected: str, got: str) -> None:
        super().__init__(f"{field}: expected {expected}, got {got}")
        self.field = field
        self.expected = expected
        self.got = got


class BadCard(UnfitFact):
    """A party card contradicts itself or lists a key that must not be used."""


class BadStatement(UnfitFact):
    """An authority states what it may not state."""


class BadHead(UnfitFact):
    """A signed note that is not the timed head of this authority's log."""


class BadFingerprint(RegistryError):
    """The text is not 64 hexadecimal digits in groups of four."""


class NotToml(RegistryError):
    """The text is not TOML, or nested or counted beyond what can be read; the message says where, never what."""


class BadPack(RegistryError):
    """The pack `pack` must not be used: what stands at `place` is not `expected`."""

    def __init__(self, pack: str, place: str, expected: str) -> None:
        super().__init__(f"{pack}: at {place}: {expected}")
        self.pack = pack
        self.place = place
        self.expected = expected


class NotAPack(BadPack):
    """The file is no pack: not TOML, too long, or a key is missing, unknown or of another type."""


class IncompleteEntry(BadPack):
    """A catalogue entry lacks a part that S 17 or S 18 asks for (reason CATALOGUE_ENTRY_INCOMPLETE)."""


class CalendarUnavailable(RegistryError):
    """No installed pack covers a day that has to be counted (reason CALENDAR_UNAVAILABLE)."""

    def __init__(self, jurisdiction: str, year: int) -> None:
        super().__init__(f"no calendar pack covers {jurisdiction} {year}")
        self.jurisdiction = jurisdiction
        self.year = year
