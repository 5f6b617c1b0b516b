"""What can go wrong in this room that is not a refusal.

    AgreementsError
    └── WrongKey     a document was to be signed with a key of another purpose

Everything an outsider can cause is answered with data (`refusal.Refused`, `terms.Problem`), never raised.
"""


class AgreementsError(Exception):
    """Every error this room raises on purpose."""


class WrongKey(AgreementsError):
    """The caller wants to sign a document with a key that is not a document key: a bug, not a refusal."""
