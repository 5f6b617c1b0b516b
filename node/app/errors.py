"""What stands against a founding or a renewed card, though the machine is in order.

    CardError
    ├── NotPinned    the card of an authority is not the one that somebody compared, or of no authority
    └── NotIssued    the card would have a field that nobody accepts

What is wrong with the machine is a `ConfigError`, `KeysError` or `StorageError`.
"""


class CardError(Exception):
    """A party card that is not to be believed, or not to be made; the text is one sentence for a person."""


class NotPinned(CardError):
    """An authority that was named is not to be trusted by this card."""


class NotIssued(CardError):
    """A card with what was typed would be refused by everybody, so it is not issued."""
