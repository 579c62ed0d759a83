"""Public data files: whatever the network does, only the right content is ever returned."""

import gzip
import hashlib
import io
import socket
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import tinygrad_nuc as tn
from tinygrad_nuc.utils.data import fetch, public_files

CONTENT = b"28.8,16.0,g\n162.1,136.0,h\n" * 4000
ENTRY = public_files.PublicFile("showers.data", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), (), "here", "CC0")


class Answers(BaseHTTPRequestHandler):
    """What each address gives; `asked` counts how often each was asked."""

    asked: list[str] = []

    def do_GET(self):
        self.asked.append(self.path)
        body = {
            "/right": CONTENT,
            "/packed": gzip.compress(CONTENT),
            "/broken": CONTENT[:-3] + b"xxx",
            "/long": CONTENT * 2,
            "/page": b"<html>please log in</html>",
            "/cut": CONTENT,
            "/cut-packed": gzip.compress(CONTENT)[:-200],
        }.get(self.path)
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:5000] if self.path == "/cut" else body)  # and then the connection is closed

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture
def known(server, tmp_path, monkeypatch):
    """Makes "showers" known, at these paths of the server; gives the folder for its files."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("TINYGRAD_NUC_DATA", str(tmp_path / "data"))
    Answers.asked.clear()

    def known(*paths):
        addresses = tuple(path if path.startswith("http") else server + path for path in paths)
        monkeypatch.setitem(public_files.FILES, "showers", replace(ENTRY, addresses=addresses))
        return tmp_path / "data"

    return known


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("address", ["/right", "/packed"])
def test_a_file_is_downloaded_once_and_kept_unpacked(address, known):
    folder = known(address)
    for _ in range(2):
        path = fetch("showers")
        assert path == folder / "showers.data" and path.read_bytes() == CONTENT
    assert Answers.asked == [address] and listing(folder) == ["showers.data"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("/nowhere", "404 Client Error"),
        ("/broken", "another content: 104000 bytes instead of 104000, with another checksum"),
        ("/long", "another content: more than 104000 bytes"),
        ("/page", "another content: 26 bytes instead of 104000"),
        ("/cut", "IncompleteRead|Connection broken"),
        ("/cut-packed", "the packed file is damaged or cut off"),
    ],
)
def test_after_a_bad_address_the_next_is_tried_and_nothing_bad_is_kept(bad, reason, known):
    folder = known(bad)
    with pytest.raises(
        ConnectionError,
        match=rf"fetch: showers could not be downloaded.*showers.data\n    http://127.*{bad}: .*({reason})",
    ):
        fetch("showers")
    assert listing(folder) == []
    known(bad, "/right")
    assert fetch("showers").read_bytes() == CONTENT and listing(folder) == ["showers.data"]
    assert Answers.asked == [bad, bad, "/right"]


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{s.getsockname()[1]}/showers.data"


def test_without_network_the_message_says_where_to_put_the_file(known):
    address = closed_port()
    folder = known(address)
    with pytest.raises(ConnectionError) as caught:
        fetch("showers")
    assert f"put the file there by hand (packed with gzip: with .gz after its name): {folder / 'showers.data'}" in str(
        caught.value
    )
    assert address in str(caught.value) and "refused" in str(caught.value)
    (folder / "showers.data").write_bytes(CONTENT)
    assert fetch("showers") == folder / "showers.data"


@pytest.mark.parametrize("name", ["showers.data", "showers.data.gz"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_put_there_by_hand_is_taken_as_it_is(name, packed, known, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    folder = known()
    folder.mkdir()
    (folder / name).write_bytes(gzip.compress(CONTENT) if packed else CONTENT)
    assert fetch("showers") == folder / name
    assert listing(folder) == [name] and Answers.asked == []


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        CONTENT[:-1],
        CONTENT + b"\n",
        gzip.compress(CONTENT)[:-1],
        gzip.compress(CONTENT[:-1]),
        gzip.compress(bytes(50_000_000)),
        b"\x1f\x8bnonsense",
    ],
)
def test_a_wrong_file_there_is_never_used(wrong, known):
    folder = known(closed_port())
    folder.mkdir()
    (folder / "showers.data").write_bytes(wrong)
    with pytest.raises(ConnectionError, match="showers.data: damaged, or another file\n    http"):
        fetch("showers")
    assert (folder / "showers.data").read_bytes() == wrong, "without a better one it stays"
    known("/right")
    assert fetch("showers").read_bytes() == CONTENT and listing(folder) == ["showers.data"]


def test_an_interrupted_download_leaves_nothing(known, monkeypatch):
    folder = known("/right")

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch("showers")
    assert listing(folder) == []


def test_only_a_path_is_a_folder():
    with pytest.raises(TypeError, match="fetch: the path must be a text or a pathlib.Path, not a int"):
        fetch("mnist", folder=1)


def test_the_folder_can_be_given(known, tmp_path, monkeypatch):
    known("/right")
    assert fetch("showers", folder=tmp_path / "mine") == tmp_path / "mine" / "showers.data"
    assert fetch("showers", folder=str(tmp_path / "mine")).read_bytes() == CONTENT
    monkeypatch.delenv("TINYGRAD_NUC_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / "cache" / name)
    assert fetch("showers") == tmp_path / "cache" / "tinygrad_nuc" / "showers.data"


def test_progress_is_shown_on_a_terminal_only(known, capsys, monkeypatch):
    folder = known("/right")
    fetch("showers")
    assert capsys.readouterr() == ("", "")
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    (folder / "showers.data").unlink()
    fetch("showers")
    assert "100%" in terminal.getvalue()


def test_without_the_package_both_ways_out_are_named(known, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    folder = known("/right")
    with pytest.raises(
        ImportError, match=rf'pip install "tinygrad_nuc\[files\]", or put the file there by hand: {folder}'
    ):
        fetch("showers")
    monkeypatch.delenv("TINYGRAD_NUC_DATA")
    with pytest.raises(ImportError, match="or name a folder in TINYGRAD_NUC_DATA"):
        fetch("showers")


def test_every_known_file_says_what_it_is():
    for name, entry in public_files.FILES.items():
        assert (
            len(entry.sha256) == 64
            and len(entry.addresses) >= 2
            and all(a.startswith("https://") for a in entry.addresses)
        )
        assert "doi:10." in entry.source and entry.licence.startswith("CC")
        assert name in fetch.__doc__ or name.endswith("-labels")
    sizes = {name: entry.size for name, entry in public_files.FILES.items() if name.startswith("mnist")}
    assert sizes == {
        "mnist-train-images": 16 + 60_000 * 28 * 28,
        "mnist-train-labels": 8 + 60_000,
        "mnist-test-images": 16 + 10_000 * 28 * 28,
        "mnist-test-labels": 8 + 10_000,
    }
    with pytest.raises(
        ValueError,
        match='fetch: "mnists" is not known; known are magic-gamma-telescope, cms-dimuon-2011, mnist-train-images',
    ):
        tn.utils.data.fetch("mnists")


def test_a_collection_is_a_folder_with_all_its_files(known, monkeypatch):
    folder = known("/right")
    monkeypatch.setitem(public_files.FILES, "more", replace(public_files.FILES["showers"], file="more.data"))
    monkeypatch.setitem(public_files.COLLECTIONS, "both", ["showers", "more"])
    assert fetch("both") == folder and listing(folder) == ["more.data", "showers.data"]
    assert public_files.COLLECTIONS["mnist"] == [name for name in public_files.FILES if name.startswith("mnist-")]
    for name in ("showers", "more"):
        monkeypatch.setitem(public_files.FILES, name, replace(ENTRY, file=f"missing {name}"))
    with pytest.raises(
        ConnectionError, match="showers could not be (.|\n)*missing showers\n.*more could not .*missing more"
    ):
        fetch("both")
