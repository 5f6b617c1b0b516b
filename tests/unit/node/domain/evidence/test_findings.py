"""What a check reports: everything is counted, a thousand findings are kept, each has its words in both languages."""

import re

import pytest

from node.domain.evidence.findings import MOST_KEPT, Outcome, Step, Tally, Wrong, meaning_of, title_of


@pytest.mark.parametrize("wrong", Wrong)
def test_every_finding_has_a_sentence_in_both_languages_and_an_article(wrong: Wrong) -> None:
    meaning = meaning_of(wrong)

    assert meaning.article.startswith("S ")
    assert meaning.en.endswith(".")
    assert re.search("[\u4e00-\u9fff]", meaning.zh)
    assert meaning.zh.endswith("。")


@pytest.mark.parametrize("step", Step)
def test_every_step_has_a_title_in_both_languages(step: Step) -> None:
    assert title_of(step).en
    assert re.search("[\u4e00-\u9fff]", title_of(step).zh)


def test_all_findings_count_and_a_thousand_are_kept() -> None:
    tally = Tally()
    for number in range(MOST_KEPT + 5):
        tally.found(Step.JOURNAL, Wrong.ENTRY_BROKEN, f"entry {number}", "this", "that")
    report = tally.report("sz-agency")

    assert (report.total, len(report.findings), report.is_clean) == (MOST_KEPT + 5, MOST_KEPT, False)


def test_findings_are_told_in_the_order_of_the_steps() -> None:
    tally = Tally()
    for step in (Step.MANIFEST, Step.REGISTRY, Step.FRAMES):
        tally.found(step, Wrong.ENTRY_BROKEN, "here", "this", "that")

    assert [one.step for one in tally.report("").findings] == [Step.REGISTRY, Step.FRAMES, Step.MANIFEST]


def test_what_was_not_looked_at_is_not_said_to_be_well() -> None:
    tally = Tally()
    tally.checked(Step.JOURNAL, 3)
    steps = {one.step: one.outcome for one in tally.report("").steps}

    assert steps[Step.JOURNAL] is Outcome.OK
    assert steps[Step.NODE] is Outcome.UNCHECKED
    assert Step.COUNTERPARTS not in steps


def test_the_first_hindrance_is_told_and_what_is_hindered_is_not_clean() -> None:
    tally = Tally()
    tally.hindered("no card")
    tally.hindered("no calendar")
    report = tally.report("")

    assert (report.hindrance, report.total, report.is_clean) == ("no card", 0, False)
