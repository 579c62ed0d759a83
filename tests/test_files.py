"""Files and folders appear whole or not at all, and nobody's files are ever replaced."""

import os
import shutil
import time
from pathlib import Path

import pytest

from tinygrad_nuc.utils.files import MARKER, atomic_write, output_folder


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


# ---- atomic_write


def test_bytes_and_text_are_written(tmp_path):
    with atomic_write(tmp_path / "a.bin") as file:
        file.write(b"\x00\x01")
    with atomic_write(tmp_path / "a.txt", "w") as file:
        file.write("η = 2.1")
    assert (tmp_path / "a.bin").read_bytes() == b"\x00\x01"
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "η = 2.1"
    assert listing(tmp_path) == ["a.bin", "a.txt"]


def test_nothing_is_at_the_path_until_the_body_is_done(tmp_path):
    with atomic_write(tmp_path / "a") as file:
        file.write(b"x" * 100_000)
        assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_no_temporary(tmp_path, interruption):
    (tmp_path / "a").write_text("old")
    with pytest.raises(interruption), atomic_write(tmp_path / "a") as file:
        file.write(b"half of the n")
        raise interruption
    assert (tmp_path / "a").read_text() == "old"
    assert listing(tmp_path) == ["a"]


def test_a_failing_rename_leaves_the_old_file_and_no_temporary(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("disk on fire")

    (tmp_path / "a").write_text("old")
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="disk on fire"), atomic_write(tmp_path / "a") as file:
        file.write(b"new")
    assert (tmp_path / "a").read_text() == "old"
    assert listing(tmp_path) == ["a"]


def test_permissions_are_those_of_a_file_opened_in_the_usual_way(tmp_path):
    (tmp_path / "usual").write_text("")
    with atomic_write(tmp_path / "ours"):
        pass
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_link_is_followed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with atomic_write(tmp_path / "link", "w") as file:
        file.write("x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "x"


def test_impossible_targets_are_refused_before_the_body(tmp_path):
    cases = [
        (tmp_path, "wb", IsADirectoryError, "is a folder"),
        (tmp_path / "missing" / "a", "wb", FileNotFoundError, "missing/a: cannot write to the folder"),
        (tmp_path / "a", "ab", ValueError, 'must be "wb" or "w"'),
    ]
    for path, mode, error, message in cases:
        with pytest.raises(error, match=message), atomic_write(path, mode):
            pytest.fail("the body must not run")
    assert listing(tmp_path) == []


def test_what_killed_processes_left_more_than_a_day_ago_is_removed(tmp_path):
    others = [".a.0123abcd.part.bak", ".b.0123abcd.part", ".a.0123abcd.old", ".a.somebody.part", "a.0123abcd.part"]
    for name in [".a.0123abcd.part", *others, ".a.89abcdef.part"]:
        (tmp_path / name).write_bytes(b"half")
        os.utime(tmp_path / name, (time.time() - 25 * 3600,) * 2)
    os.utime(tmp_path / ".a.89abcdef.part")                     # another process may still be writing this one
    (tmp_path / ".a.00000000.part").mkdir()                     # a folder is none of ours
    os.utime(tmp_path / ".a.00000000.part", (0, 0))
    with atomic_write(tmp_path / "a") as file:
        file.write(b"whole")
    kept = ["a", ".a.89abcdef.part", ".a.00000000.part", *others]
    assert listing(tmp_path) == sorted(kept) and (tmp_path / "a").read_bytes() == b"whole"


@pytest.mark.parametrize("write", [atomic_write, output_folder])
def test_only_a_path_is_a_path(write, tmp_path):
    for wrong in (1, True, None, 2.5):
        with pytest.raises(TypeError, match=rf"{write.__name__}: the path must be a text or a pathlib.Path, not a {type(wrong).__name__}"):
            with write(wrong):
                pytest.fail("the body must not run")
    with write(os.fsencode(tmp_path / "a")):
        pass
    assert listing(tmp_path) == ["a"]


# ---- output_folder


def run_into(path, **files):
    with output_folder(path) as folder:
        for name, text in files.items():
            (folder / name).write_text(text)


def test_a_new_folder_with_missing_parents(tmp_path):
    run_into(tmp_path / "a" / "b" / "run", report="AUC 0.9")
    assert (tmp_path / "a" / "b" / "run" / "report").read_text() == "AUC 0.9"
    assert listing(tmp_path / "a" / "b") == ["run"]


def test_an_earlier_result_is_replaced_as_a_whole(tmp_path):
    run_into(tmp_path / "run", report="1", old_plot="x")
    with output_folder(tmp_path / "run") as folder:
        (folder / "plots").mkdir()
        (folder / "plots" / "roc.png").write_text("2")
        assert listing(tmp_path / "run") == [MARKER, "old_plot", "report"], "until the end it is untouched"
    assert listing(tmp_path / "run") == [MARKER, "plots"]
    run_into(tmp_path / "run", report="3")
    assert listing(tmp_path / "run") == [MARKER, "report"]
    assert listing(tmp_path) == ["run"]


def test_an_empty_folder_is_replaced(tmp_path):
    (tmp_path / "run").mkdir()
    run_into(tmp_path / "run", report="1")
    assert (tmp_path / "run" / "report").exists()


@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt])
def test_a_failed_run_leaves_nothing(tmp_path, interruption):
    run_into(tmp_path / "earlier", report="1")
    for path in (tmp_path / "a" / "b" / "run", tmp_path / "earlier"):
        with pytest.raises(interruption), output_folder(path) as folder:
            (folder / "half").write_text("x")
            raise interruption
    assert listing(tmp_path) == ["earlier"], "the created parents are gone too"
    assert (tmp_path / "earlier" / "report").read_text() == "1"


def assert_refused(path, error, message):
    with pytest.raises(error, match=message), output_folder(path):
        pytest.fail("the body must not run")


def test_somebody_elses_files_are_refused(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.tex").write_text("...")
    assert_refused(home, FileExistsError, "home: holds files that are not the result of an earlier run")
    (home / MARKER).write_text("not a list")
    assert_refused(home, FileExistsError, "holds files that are not the result")
    assert_refused(home / "thesis.tex", FileExistsError, "exists and is not a folder")
    assert_refused(home / "thesis.tex" / "run", OSError, "run: cannot create a folder there")
    assert listing(home) == [MARKER, "thesis.tex"]
    assert listing(tmp_path) == ["home"]


def test_a_file_added_to_a_result_is_not_lost(tmp_path):
    run_into(tmp_path / "run", report="1")
    (tmp_path / "run" / ".DS_Store").write_text("litter of a file browser does not count")
    run_into(tmp_path / "run", report="2")
    (tmp_path / "run" / "notes").mkdir()
    (tmp_path / "run" / "notes" / "mine.txt").write_text("x")
    assert_refused(tmp_path / "run", FileExistsError, '"notes" was added to the result')
    assert (tmp_path / "run" / "notes" / "mine.txt").exists()


def test_the_folder_one_is_in_and_the_root_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert_refused(".", FileExistsError, "you are in this folder")
    assert_refused("..", FileExistsError, "you are in this folder")
    assert_refused("/", FileExistsError, "is a mount point")


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "thesis.tex").write_text("...")
    assert_refused("~/", FileExistsError, "holds files")
    run_into("~/run", report="1")
    assert (tmp_path / "run" / "report").exists()


def test_a_parent_that_cannot_be_written_to_is_refused_at_the_start(tmp_path, monkeypatch):
    def refuse(self, *_, **__):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)  # and not chmod, which does not stop an administrator
    assert_refused(tmp_path / "run", PermissionError, "run: cannot create a folder there: Permission denied")


def test_a_killed_replacement_brings_the_old_folder_back_and_keeps_the_results(tmp_path, monkeypatch):
    run_into(tmp_path / "run", report="old")
    rename, calls = os.rename, []

    def refuse_the_second(source, target):
        calls.append(target)
        if len(calls) == 2:
            raise OSError("disk on fire")
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse_the_second)
    with pytest.raises(OSError, match="disk on fire; the results of this run are kept in (.*)$") as caught:
        run_into(tmp_path / "run", report="new")
    assert (tmp_path / "run" / "report").read_text() == "old"
    kept = Path(str(caught.value).split("kept in ")[1])
    assert (kept / "report").read_text() == "new"
    assert listing(tmp_path) == [kept.name, "run"]


def test_files_that_appear_during_the_run_are_not_replaced(tmp_path):
    message = "run: holds files .*; the results of this run are kept in "
    with pytest.raises(FileExistsError, match=message), output_folder(tmp_path / "run"):
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "mine.txt").write_text("x")
    assert (tmp_path / "run" / "mine.txt").exists()


def test_a_copied_or_moved_result_is_still_a_result(tmp_path):
    run_into(tmp_path / "run", report="1")
    shutil.move(tmp_path / "run", tmp_path / "moved")
    run_into(tmp_path / "moved", report="2")
    assert (tmp_path / "moved" / "report").read_text() == "2"
