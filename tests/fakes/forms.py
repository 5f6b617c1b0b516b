"""What the rules of de-identification make of one record."""

from crypto.commitment import Value
from crypto.document_token import DocumentTokens
from node.domain.records import Content
from node.domain.rendition import Told, rules_of
from node.domain.vocabulary import Vocabulary


def render(
    content: Content, granted: Told, vocabulary: Vocabulary, tokens: DocumentTokens | None = None
) -> dict[str, Value]:
    """The granted fields of a record."""
    return {name: rule(content) for name, rule in rules_of(content.KIND, granted, vocabulary, tokens).items()}
