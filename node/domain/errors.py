"""What can be wrong with what is handed to the domain, as one small family.

    DomainError
    ├── DamagedData       a packaged table does not have its promised shape
    ├── MappingRefused    a mapping file names a column, field or transform that does not exist
    └── NotRenderable     an agreement grants a field or precision that has no de-identified form

A row that is not admitted, a record that is withheld and a rendition that shows too much are answers, not
errors.
"""


class DomainError(Exception):
    """Anything this room refuses to work with. Messages name places, never content."""


class DamagedData(DomainError):
    """A packaged table does not have its promised shape."""


class MappingRefused(DomainError):
    """A mapping cannot be used; the message names the place, what was expected and what was got."""


class NotRenderable(DomainError):
    """A granted field or precision has no de-identified form; nothing was rendered."""
