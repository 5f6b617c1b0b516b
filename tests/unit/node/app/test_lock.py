"""Who may serve a node's folder: one process, or several together."""

import fcntl
from contextlib import ExitStack
from pathlib import Path

import pytest

from node.app import lock
from node.app.lock import is_served, serving_lock
from node.config import ConfigError, Folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr(lock, "BETWEEN_TRIES", 0.001)
    return Folder(tmp_path)


@pytest.mark.parametrize("shared", [False, True])
def test_a_folder_is_served_as_long_as_somebody_holds_it(folder: Folder, shared: bool) -> None:
    before = is_served(folder)
    with serving_lock(folder, shared=shared) as alone:
        during = is_served(folder)

    assert (before, alone, during, is_served(folder)) == (False, True, True, False)


def test_one_process_at_a_time_serves_alone(folder: Folder) -> None:
    with serving_lock(folder), pytest.raises(ConfigError, match="in use"), serving_lock(folder):
        pytest.fail("it was held twice")


def test_several_serve_together_and_only_the_first_is_alone(folder: Folder) -> None:
    with ExitStack() as first:
        alone = first.enter_context(serving_lock(folder, shared=True))
        with serving_lock(folder, shared=True) as second:
            first.close()

            assert (alone, second, is_served(folder)) == (True, False, True)


def test_looking_does_not_keep_anybody_from_serving(folder: Folder) -> None:
    folder.lock.touch()
    with folder.lock.open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        # The one who looks is gone after the first refusal.
        served = iter([looking.close])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("node.app.lock.time.sleep", lambda _: next(served)())
            with serving_lock(folder) as alone:
                assert alone


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"), serving_lock(Folder(tmp_path / "missing")):
        pytest.fail("it was held")
