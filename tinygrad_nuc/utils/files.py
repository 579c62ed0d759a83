"""Files that are written whole or not at all, so that an interrupted run never leaves half a result."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

# The file that `output_folder` leaves in each folder it makes; it lists all that the folder held then.
MARKER = ".tinygrad_nuc_output.json"
# What file browsers drop into any folder that somebody looks at; nobody's work.
LITTER = {".DS_Store", "Thumbs.db"}
A_DAY = 24 * 3600       # in seconds


def given_path(path: Any, who: str) -> str:
    """A path that somebody gave, as text. A number is none: `open` would take it for an open file, and close that.

    Examples
    --------
    >>> given_path(Path("a.npz"), "load"), given_path(b"a.npz", "load")
    ('a.npz', 'a.npz')
    >>> given_path(True, "load")
    Traceback (most recent call last):
        ...
    TypeError: load: the path must be a text or a pathlib.Path, not a bool
    """
    try:
        return os.fsdecode(path)
    except TypeError:
        raise TypeError(f"{who}: the path must be a text or a pathlib.Path, not a {type(path).__name__}") from None


@contextmanager
def atomic_write(path: str | os.PathLike, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a file for writing that appears at `path` only once it is complete.

    The body writes to a temporary file next to `path`; when the body has succeeded, that file is brought
    to the disk and renamed onto `path`. When it fails, the temporary file is removed and what was at
    `path` before stays as it was.

    A process that is killed outright cannot clean up: it leaves a hidden neighbour ``.NAME.*.part``, which the first
    writing to the same `path` more than a day later removes (sooner, another process might still be at it).

    Parameters
    ----------
    path : str or os.PathLike
        Where the file shall be; its folder must exist. A link is followed.
    mode : {"wb", "w"}
        Bytes, or text (UTF-8).

    Raises
    ------
    OSError
        When the folder is missing or cannot be written to, or `path` is itself a folder: before the body.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_write(Path(folder) / "report.txt", "w") as file:
    ...         _ = file.write("AUC 0.91")
    ...     print((Path(folder) / "report.txt").read_text())
    AUC 0.91
    """
    if mode not in ("wb", "w"):
        raise ValueError(f'mode must be "wb" or "w", not {mode!r}')
    target = Path(os.path.realpath(given_path(path, "atomic_write")))
    if target.is_dir():
        raise IsADirectoryError(f"{path}: is a folder, a file cannot take its place")
    _remove_leftovers(target)
    temporary = _sibling(target, "part")
    try:
        # "x" creates the file with the user's usual permissions, which tempfile's would not have
        file = open(temporary, mode.replace("w", "x"), encoding=None if "b" in mode else "utf-8")
    except OSError as error:
        raise type(error)(f"{path}: cannot write to the folder {target.parent}: {error.strerror}") from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # the bytes before the name: a power cut must not leave an empty file
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def output_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Collect what a run produces in a folder that appears at `path` only when the run has succeeded.

    The body writes into the temporary folder it is given, a neighbour of `path`. When the body has
    succeeded, that folder takes the place of `path`, and of a whole earlier result there. When the body
    fails or is interrupted, nothing of it stays and the earlier result is untouched.

    Only an empty folder or one that this function made is ever replaced: each result holds a hidden list
    of its files, and a folder without that list, or with a file that is not on it, is refused. So a
    mistaken ``--output ~/`` cannot cost anyone a file.

    A process that is killed outright cannot clean up: it leaves a hidden neighbour ``.NAME.*.part`` or,
    killed in the very instant of the exchange, ``.NAME.*.old`` with the earlier result.

    Parameters
    ----------
    path : str or os.PathLike
        Where the folder shall be; missing parents are created, a leading ``~`` is expanded.

    Yields
    ------
    pathlib.Path
        The temporary folder to write into. Its name does not last: print `path` instead.

    Raises
    ------
    OSError
        On entering, before the long run: when `path` may not be replaced (FileExistsError) or the folder
        it would be in cannot be written to. After the body only if `path` has changed in the meantime;
        the message then names the folder that keeps the results.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     with output_folder(Path(place) / "run1") as folder:
    ...         _ = (folder / "report.txt").write_text("AUC 0.91")
    ...     print((Path(place) / "run1" / "report.txt").read_text())
    AUC 0.91
    """
    target = Path(os.path.realpath(Path(given_path(path, "output_folder")).expanduser()))
    _refuse_unless_replaceable(target)
    new_parents = [folder for folder in target.parents if not folder.exists()]
    temporary = _sibling(target, "part")
    try:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.mkdir()
        except OSError as error:
            raise type(error)(f"{target}: cannot create a folder there: {error.strerror}") from error
        yield temporary
        (temporary / MARKER).write_text(json.dumps(_entries(temporary)), encoding="utf-8")
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        for folder in new_parents:  # innermost first
            with suppress(OSError):  # missing, or by now somebody else's files are in it
                folder.rmdir()
        raise
    try:
        _refuse_unless_replaceable(target)  # again: the run may have taken hours
        _replace_folder(temporary, target)
    except OSError as error:
        raise type(error)(f"{error}; the results of this run are kept in {temporary}") from error


def _sibling(path: Path, ending: str) -> Path:
    """A fresh hidden name next to `path`: renaming is atomic only within one file system."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.{ending}")


def _remove_leftovers(target: Path) -> None:
    """Remove the files that killed processes left more than a day ago when they were writing `target`."""
    ours = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{8}}\.part")
    with suppress(OSError), os.scandir(target.parent) as entries:       # what cannot be removed stays
        for entry in entries:
            if (ours.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)
                    and time.time() - entry.stat().st_mtime > A_DAY):
                os.unlink(entry)


def _entries(folder: Path) -> list[str]:
    """Everything below the folder, as relative paths."""
    return sorted(
        Path(parent, name).relative_to(folder).as_posix()
        for parent, folders, files in os.walk(folder)
        for name in folders + files
    )


def _refuse_unless_replaceable(target: Path) -> None:
    """Raise unless `target` is free, an empty folder, or a result of `output_folder` and nothing else."""
    if not target.exists():
        return
    if not target.is_dir():
        raise FileExistsError(f"{target}: exists and is not a folder")
    if os.path.ismount(target):
        raise FileExistsError(f"{target}: is a mount point, not to be replaced; name a new folder inside it")
    if Path.cwd().is_relative_to(target):
        raise FileExistsError(f"{target}: you are in this folder, it cannot be replaced; name a new one")
    if not any(target.iterdir()):
        return
    try:
        ours = set(json.loads((target / MARKER).read_text(encoding="utf-8"))) | {MARKER}
    except (OSError, ValueError, TypeError):  # no list, or not one that we wrote
        raise FileExistsError(
            f"{target}: holds files that are not the result of an earlier run; name a new or empty folder"
        ) from None
    for entry in _entries(target):
        if entry not in ours and Path(entry).name not in LITTER:
            raise FileExistsError(
                f'{target}: "{entry}" was added to the result of an earlier run and would be lost; '
                "move it elsewhere or name a new folder"
            )


def _replace_folder(new: Path, target: Path) -> None:
    """Rename `new` to `target`; a folder that is there steps aside first, and back if that fails."""
    if not target.exists():
        os.rename(new, target)
        return
    aside = _sibling(target, "old")
    os.rename(target, aside)
    try:
        os.rename(new, target)
    except BaseException:
        os.rename(aside, target)
        raise
    shutil.rmtree(aside, ignore_errors=True)  # the new result is in place: an old file must not fail the run


def reason(error: Exception) -> str:
    """What an error says, as one line for another message; some say nothing, some fill a page."""
    lines = (line.strip() for line in str(error).splitlines())
    return next(filter(None, lines), type(error).__name__)
