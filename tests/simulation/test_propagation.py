"""Whatever is lost, repeated, late or out of order: once messages flow again, every copy is what home says.

A story is a drawn list of steps and the fates of the messages sent under way; it is printed and made shorter when it
ends badly.
"""

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.fakes.network import Fate
from tests.fakes.propagation import HOLDERS, HOME
from tests.simulation.held import remains, troubles
from tests.simulation.story import (
    MEMBERS,
    Ask,
    ComeBack,
    Correct,
    Delete,
    Erase,
    EverybodyRuns,
    LateMessagesCome,
    Load,
    Push,
    Restart,
    Run,
    Sequence,
    Step,
    Story,
    Vanish,
    Wait,
)
from tests.simulation.templates import PUSHED, SHORT, SUBJECTS, Template, prepared
from tests.thorough import THOROUGH

pytestmark = pytest.mark.no_cover  # what this runs is covered by others, and measuring it doubles its time

REACHED = {"peer not reached", "peer reached again"}
"""All that a node may have to say of it."""
STATUS = frozenset({"status_code"})
FIELDS = (STATUS, frozenset({"region", "industry_section"}), None)


def steps() -> st.SearchStrategy[Step]:
    """Most steps let somebody act, or else nothing would be under way."""
    record = subject = st.integers(0, SUBJECTS - 1)
    subjects = st.lists(subject, min_size=1, max_size=3, unique=True).map(tuple)
    somebody, holder = st.sampled_from(MEMBERS), st.sampled_from(HOLDERS)
    running = st.one_of(st.builds(Run, somebody), st.just(EverybodyRuns()))
    return st.one_of(
        running,
        running,
        running,
        running,
        st.builds(Push, st.sampled_from((PUSHED, SHORT)), st.booleans()),
        st.builds(Ask, holder, subjects, st.sampled_from(FIELDS)),
        st.builds(Correct, record),
        st.builds(Delete, record),
        st.builds(Load, subject, st.booleans()),
        st.builds(Restart, somebody),
        st.builds(Erase, somebody),
        st.builds(Sequence, somebody),
        st.builds(Vanish, holder),
        st.builds(ComeBack, holder),
        st.builds(Wait, st.sampled_from((1, 20, 100))),
        st.just(LateMessagesCome()),
    )


def fates() -> st.SearchStrategy[Fate]:
    return st.sampled_from((Fate.ARRIVES, *Fate, Fate.ARRIVES))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return prepared(tmp_path_factory.mktemp("propagation"))


@settings(max_examples=200 if THOROUGH else 20, deadline=None)
@example(
    # The answer to a batch is lost, and asked for again when it is not given again any more.
    script=[Ask(PUSHED, (0, 1), STATUS), Run(PUSHED)],
    fates=[Fate.ARRIVES, Fate.ANSWER_LOST],
)
@example(
    # A corrected record is shown in fewer fields, in an answer, before its correction arrives.
    script=[Vanish(PUSHED), Ask(PUSHED, (0,), STATUS), Correct(0), Run(HOME)],
    fates=[],
)
@example(
    # A record is deleted that is known to no holder, as far as home knows.
    script=[Push(PUSHED, again=False), Run(HOME), Delete(4)],
    fates=[Fate.ANSWER_LOST],
)
@example(
    # As before, and the frame comes when everybody knows of the deletion.
    script=[Push(PUSHED, again=False), Run(HOME), Delete(4), EverybodyRuns(), LateMessagesCome()],
    fates=[Fate.LATE],
)
@given(script=st.lists(steps(), min_size=15, max_size=50), fates=st.lists(fates(), min_size=15, max_size=50))
def test_once_messages_flow_again_every_copy_is_what_home_says(
    template: Template, script: list[Step], fates: list[Fate]
) -> None:
    with tempfile.TemporaryDirectory() as folder, template.copied(Path(folder)) as network, capture_logs() as logs:
        network.weather.planned = list(fates)
        story = Story(network, template)
        for step in script:
            story.play(step)
        network.end_copies(*HOLDERS)
        network.settle()
        assert troubles(network, HOME, HOLDERS) == []

        network.weather.repeat()
        came_back = story.load_what_was_deleted()
        network.settle()

        assert came_back == {}
        assert troubles(network, HOME, HOLDERS) == []
        assert remains(network.members.values(), story.secrets.gone(network, HOME, HOLDERS)) == []
        assert [one for one in logs if one["event"] not in REACHED] == []
