"""A file that a command writes is whole or not there, and is looked at where its name leads."""

import os
from errno import EACCES, EISDIR, ELOOP, ENOENT, ENOTDIR
from pathlib import Path

import pytest

from node.cli.outputs import unwritable, whole_file


def linked(folder: Path, name: str, to: str) -> Path:
    (folder / name).symlink_to(to)
    return folder / name


def test_a_link_is_written_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert unwritable(tmp_path / "new") is None
    assert unwritable(linked(tmp_path, "to a file", "file")) is None
    assert unwritable(linked(tmp_path, "to a new file", "new")) is None
    assert unwritable(linked(tmp_path, "to no folder", "missing/new")) == ENOENT
    assert unwritable(linked(tmp_path, "into a file", "file/new")) == ENOTDIR
    assert unwritable(linked(tmp_path, "to a folder", ".")) == EISDIR
    assert unwritable(linked(tmp_path, "in a circle", "in a circle")) == ELOOP
    assert unwritable(Path(os.devnull)) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_closed_takes_no_file(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    assert unwritable(tmp_path / "new") == EACCES


def test_a_file_is_there_when_everything_went_well_and_not_before(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"before")
    link = linked(tmp_path, "link", "file")

    with whole_file(link) as opened:
        opened.write(b"after")
        assert link.read_bytes() == b"before"

    assert (link.is_symlink(), (tmp_path / "file").read_bytes()) == (True, b"after")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "link"]


def test_what_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"before")

    def fail() -> None:
        with whole_file(tmp_path / "file") as opened:
            opened.write(b"after")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"before"]


def test_a_draft_that_cannot_have_its_name_stays(tmp_path: Path) -> None:
    def write_where_a_folder_is_made() -> None:
        with whole_file(tmp_path / "folder") as opened:
            opened.write(b"all there is")
            (tmp_path / "folder").mkdir()

    with pytest.raises(OSError, match="folder"):
        write_where_a_folder_is_made()
    assert (tmp_path / "folder.part").read_bytes() == b"all there is"


def test_what_is_no_ordinary_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    read, write = os.pipe()
    end = linked(tmp_path, "pipe", f"/dev/fd/{write}")

    with whole_file(end) as opened:
        opened.write(b"through")
    os.close(write)

    with os.fdopen(read, "rb") as other:
        assert other.read() == b"through"
    assert end.is_symlink()
