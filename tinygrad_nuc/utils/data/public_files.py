"""Public data by name: downloaded once, checked always."""

import gzip
import hashlib
import os
import sys
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import IO

from ..files import atomic_write, given_path, reason

FOLDER = "TINYGRAD_NUC_DATA"        # the environment variable with the folder for the files
BLOCK = 2 ** 20


@dataclass(frozen=True)
class PublicFile:
    """A file that is the same wherever it comes from."""

    file: str
    """Its name here; with .gz after it if it was put there packed."""
    size: int
    sha256: str
    """Both of the content, unpacked: packed files differ from place to place."""
    addresses: tuple[str, ...]
    """Tried in turn; packed with gzip or not."""
    source: str
    licence: str


def digits(file: str, size: int, sha256: str) -> PublicFile:
    """One of the four files of the handwritten digits."""
    places = ("https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist",
              "https://raw.githubusercontent.com/fgnt/mnist/master")
    return PublicFile(f"mnist-{file}", size, sha256, tuple(f"{place}/{file}.gz" for place in places),
                      "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998), doi:10.1109/5.726791", "CC BY-SA 3.0")


FILES = {
    "magic-gamma-telescope": PublicFile(
        "magic04.data", 1_477_391, "e9314b7ebd4b4b59a3b3d65f7316663963777b16a46786877651dbbaa640b36a",
        ("https://archive.ics.uci.edu/ml/machine-learning-databases/magic/magic04.data",
         "https://raw.githubusercontent.com/Bhomaramsuthar/Learning_Models/"
         "f5dced97bf1ef46547878e6b9258715eeb987869/magic04.data"),
        "R. K. Bock (2004), UCI Machine Learning Repository, doi:10.24432/C52C8B", "CC BY 4.0"),
    "cms-dimuon-2011": PublicFile(
        "Zmumu_Run2011A_masses.csv", 1_652_844, "6e8c1d34f27411e54840e74c6dac4a8400e6a6ae8bdc5fd56faca5fafee50d0f",
        tuple(f"{place}f0c2ed71193217919232b313a9c891fccffa0c1c/content/Data/Zmumu_Run2011A_masses.csv" for place in (
            "https://raw.githubusercontent.com/opendata-education/en_Physics/",
            "https://cdn.jsdelivr.net/gh/opendata-education/en_Physics@")),
        "CMS Collaboration (2016), CERN Open Data Portal, doi:10.7483/OPENDATA.CMS.RZ34.QR6N", "CC0"),
    "mnist-train-images": digits("train-images-idx3-ubyte", 47_040_016,
                                 "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    "mnist-train-labels": digits("train-labels-idx1-ubyte", 60_008,
                                 "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    "mnist-test-images": digits("t10k-images-idx3-ubyte", 7_840_016,
                                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    "mnist-test-labels": digits("t10k-labels-idx1-ubyte", 10_008,
                                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
}
COLLECTIONS = {"mnist": [name for name in FILES if name.startswith("mnist-")]}


def fetch(name: str, folder: str | os.PathLike | None = None) -> Path:
    """The path of public data: downloaded when they are first asked for, and checked each time.

    ========================================== ===================================================================
    ``"magic-gamma-telescope"``                19,020 air showers of gammas (``g``) and hadrons (``h``), simulated for
                                               the MAGIC telescope: ten shape parameters and the class, as CSV
    ``"cms-dimuon-2011"``                      10,851 pairs of muons around the Z boson, measured by CMS at 7 TeV:
                                               four-vectors in GeV and the mass M, as CSV
    ``"mnist-train-images"``, ``-labels``      60,000 handwritten digits of 28 × 28 pixels, for `read_idx`
    ``"mnist-test-images"``, ``-labels``       10,000 more
    ``"mnist"``                                all four: the path is that of the folder where they are
    ========================================== ===================================================================

    Parameters
    ----------
    name : str
        One of the above. Sources and licences are in ``tinygrad_nuc.utils.data.public_files.FILES``.
    folder : path, optional
        Where files are kept: without it, the folder that the environment variable ``TINYGRAD_NUC_DATA`` names, or else
        the user's folder for caches. A file that was put there by hand, packed with gzip or not, is as good.

    Returns
    -------
    pathlib.Path
        Of a file (or of a folder with files) whose content has the known SHA-256 checksum. It is not packed, unless
        it was put there so by hand: `read_idx`, ``read_table`` and ``np.loadtxt`` read both.

    Raises
    ------
    ValueError
        If the name is not known.
    ConnectionError
        If no address gives the file, without network for instance. The message says where to put it by hand.
    ImportError
        If it must be downloaded and the package pooch is missing (extra ``files``).

    Examples
    --------
    >>> fetch("magic-gamma-telescope")      # doctest: +SKIP
    PosixPath('/home/ada/.cache/tinygrad_nuc/magic04.data')
    >>> fetch("magic")                      # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: fetch: "magic" is not known; known are magic-gamma-telescope, cms-dimuon-2011, ...
    """
    if name not in FILES | COLLECTIONS:
        raise ValueError(f'fetch: "{name}" is not known; known are {", ".join(FILES | COLLECTIONS)}')
    place = Path(given_path(folder or "", "fetch") or os.environ.get(FOLDER)
                 or package(f"or name a folder in {FOLDER}").os_cache("tinygrad_nuc")).expanduser()
    if name in COLLECTIONS:
        return fetch_all(COLLECTIONS[name], place)
    entry = FILES[name]
    target = place / entry.file
    found = [path for path in (target, place / f"{entry.file}.gz") if path.is_file()]
    for path in found:
        if is_right(path, entry):
            return path
    failures = [f"{path}: damaged, or another file" for path in found]
    Downloader = package(f"or put the file there by hand: {target}").HTTPDownloader
    place.mkdir(parents=True, exist_ok=True)
    for address in entry.addresses:
        try:
            with tempfile.TemporaryDirectory() as temporary:
                arrived = Path(temporary) / "download"
                Downloader(progressbar=sys.stderr.isatty(), chunk_size=BLOCK // 16)(address, str(arrived), None)
                with atomic_write(target) as file:
                    check(arrived, entry, copy=file)
            return target
        except (OSError, ValueError) as error:              # all that the network can do comes as OSError
            cause = getattr(error.args[0] if error.args else None, "reason", None)      # without the retries around it
            failures.append(f"{address}: {reason(cause if isinstance(cause, Exception) else error)}")
    raise ConnectionError("\n    ".join([
        f"fetch: {name} could not be downloaded. Without network, put the file there by hand (packed with gzip: with "
        f".gz after its name): {target}", *failures]))


def fetch_all(names: list[str], place: Path) -> Path:
    """Fetch each file, also if one before it cannot be had: then the error says how to get all that are missing."""
    errors = []
    for name in names:
        try:
            fetch(name, place)
        except ConnectionError as error:
            errors.append(str(error))
    if errors:
        raise ConnectionError("\n".join(errors))
    return place


def is_right(path: Path, entry: PublicFile) -> bool:
    """Whether the file at `path` has the content that it should have."""
    try:
        check(path, entry)
    except ValueError:
        return False
    return True


def check(path: Path, entry: PublicFile, copy: IO[bytes] | None = None) -> None:
    """Raise ValueError unless the file's content, unpacked, is the right one; write it to `copy` on the way."""
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        content = gzip.GzipFile(fileobj=file) if packed else file
        try:
            while size <= entry.size and (block := content.read(BLOCK)):
                size += len(block)
                digest.update(block)
                if copy is not None:
                    copy.write(block)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"the packed file is damaged or cut off: {error}") from None
    if digest.hexdigest() != entry.sha256:
        amount = f"more than {entry.size}" if size > entry.size else size
        raise ValueError(f"another content: {amount} bytes instead of {entry.size}, with another checksum")


def package(instead: str) -> ModuleType:
    """The package pooch, of the extra "files"."""
    try:
        import pooch
    except ImportError:
        raise ImportError('fetch: downloading needs the package pooch: pip install "tinygrad_nuc[files]", '
                          + instead) from None
    return pooch
