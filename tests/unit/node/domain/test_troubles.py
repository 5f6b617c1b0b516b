"""Why a try came to nothing: a code that is kept, and words in both languages that name the peer and nothing else."""

import pytest

from agreements.refusal import Refusal
from node.domain.troubles import Trouble, in_words
from registry.parties import PartyId

AGENCY = PartyId("sz-agency")


@pytest.mark.parametrize("trouble", Trouble)
def test_every_trouble_has_words_in_both_languages(trouble: Trouble) -> None:
    english, chinese = in_words(trouble.value, AGENCY)

    assert english.isascii()
    assert any("一" <= sign <= "鿿" for sign in chinese)
    assert "{" not in english + chinese
    assert trouble.name == trouble.value


def test_a_refusal_that_passes_is_named_with_its_code_and_meaning() -> None:
    english, chinese = in_words(Refusal.NOT_READY.value, AGENCY)

    assert english.startswith("sz-agency refuses for now, NOT_READY: ")
    assert "索引" in chinese


def test_what_another_version_kept_is_given_as_it_is() -> None:
    assert in_words("some words", AGENCY) == ("some words", "some words")
