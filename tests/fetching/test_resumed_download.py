"""Downloads: the same bytes however often they are interrupted, and nothing that is not what was published."""

import hashlib
import json
import os
import resource

import numpy as np
import pytest

from file_server import serving
from ser.errors import InputError
from ser.fetching.resumed_download import download

CONTENT = np.random.default_rng(0).bytes(1_000_000)
MD5 = hashlib.md5(CONTENT).hexdigest()
DROP = 300_000


def fetch(server, target, **stated):
    return download(server.url("/a.zip"), target, pause=0.01, **stated)


def test_a_file_is_fetched_once(tmp_path):
    with serving(files={"/a.zip": CONTENT}) as server:
        target = tmp_path / "deep" / "a.zip"
        assert fetch(server, target, size=len(CONTENT), md5=MD5.upper())
        assert target.read_bytes() == CONTENT
        assert [path.name for path in target.parent.iterdir()] == ["a.zip"]
        assert not fetch(server, target, size=len(CONTENT), md5=MD5)
        assert server.fetched() == [(0, len(CONTENT))]


def test_a_dropped_connection_is_continued(tmp_path):
    with serving(files={"/a.zip": CONTENT}, drops=[DROP, DROP]) as server:
        fetch(server, tmp_path / "a.zip", md5=MD5)
        assert (tmp_path / "a.zip").read_bytes() == CONTENT
        starts = [first for first, _ in server.fetched()]
        assert len(starts) == 3 and starts[0] == 0 and starts[1] > DROP - 65536 and starts[2] > 2 * DROP - 2 * 65536


@pytest.mark.parametrize("lacking", ["ranges", "validators"])
def test_without_a_way_to_resume_it_starts_again(tmp_path, lacking):
    with serving(files={"/a.zip": CONTENT}, drops=[DROP], **{lacking: False}) as server:
        fetch(server, tmp_path / "a.zip")
        assert (tmp_path / "a.zip").read_bytes() == CONTENT
        assert [first for first, _ in server.fetched()] == [0, 0]


def test_a_changed_file_is_not_glued_to_the_old_beginning(tmp_path):
    with serving(files={"/a.zip": CONTENT}, drops=[DROP] * 5, statuses=[200] + [503] * 4) as server:
        with pytest.raises(InputError, match="503"):
            fetch(server, tmp_path / "a.zip")
        part = tmp_path / ".tmp-a.zip.part"
        assert part.stat().st_size > DROP - 65536
        server.drops.clear()
        server.statuses.clear()
        server.files["/a.zip"] = CONTENT[::-1]
        fetch(server, tmp_path / "a.zip")
        assert (tmp_path / "a.zip").read_bytes() == CONTENT[::-1]


def test_a_beginning_longer_than_the_file_has_become_is_given_up(tmp_path):
    part = tmp_path / ".tmp-a.zip.part"
    part.write_bytes(CONTENT)
    with serving(files={"/a.zip": CONTENT[:1000]}) as server:
        etag = f'"{hashlib.sha1(CONTENT[:1000]).hexdigest()}"'
        note = {"url": server.url("/a.zip"), "same": etag, "size": 2_000_000}
        part.with_name(".tmp-a.zip.part.json").write_text(json.dumps(note))
        fetch(server, tmp_path / "a.zip")
        assert (tmp_path / "a.zip").read_bytes() == CONTENT[:1000]


def test_another_address_has_its_own_beginning(tmp_path):
    with serving(
        files={"/a.zip": CONTENT, "/b.zip": CONTENT[::-1]}, drops=[DROP], statuses=[200] + [503] * 4
    ) as server:
        with pytest.raises(InputError):
            fetch(server, tmp_path / "a.zip")
        server.statuses.clear()
        download(server.url("/b.zip"), tmp_path / "a.zip")
        assert (tmp_path / "a.zip").read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("stated", [{"md5": "0" * 32}, {"size": 999_999}])
def test_what_is_not_as_published_is_deleted(tmp_path, stated):
    with serving(files={"/a.zip": CONTENT}) as server:
        with pytest.raises(InputError, match="instead of .* deleted"):
            fetch(server, tmp_path / "a.zip", **stated)
        assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_is_checked_and_kept(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"mine")
    with serving(files={"/a.zip": CONTENT}) as server:
        with pytest.raises(InputError, match="remove it"):
            fetch(server, tmp_path / "a.zip", md5=MD5)
        assert server.requests == [] and (tmp_path / "a.zip").read_bytes() == b"mine"


def test_errors_that_pass_are_waited_for(tmp_path):
    with serving(files={"/a.zip": CONTENT}, statuses=[500, 503, 429]) as server:
        fetch(server, tmp_path / "a.zip")
        assert (tmp_path / "a.zip").read_bytes() == CONTENT


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_errors_that_stay_are_told_at_once(tmp_path, status):
    with serving(files={"/a.zip": CONTENT}, statuses=[status]) as server:
        with pytest.raises(InputError, match=f"{status}.*--url"):
            fetch(server, tmp_path / "a.zip")
        assert len(server.requests) == 1


def test_a_web_page_is_no_file(tmp_path):
    with serving(files={"/a.zip": b"<html>"}, content_type="text/html; charset=utf-8") as server:
        with pytest.raises(InputError, match="web page"):
            fetch(server, tmp_path / "a.zip")
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/a.zip", "http://no.such.host.invalid/a", "nonsense", "ftp://a/b"])
def test_an_address_that_leads_nowhere_is_one_line(tmp_path, url):
    with pytest.raises(InputError) as raised:
        download(url, tmp_path / "a.zip", pause=0.01)
    assert url in str(raised.value) and "\n" not in str(raised.value) and "object at 0x" not in str(raised.value)


def test_an_empty_file_is_fetched(tmp_path):
    with serving(files={"/a.zip": b""}) as server:
        fetch(server, tmp_path / "a.zip")
        assert (tmp_path / "a.zip").read_bytes() == b""


def test_what_the_disk_does_not_take_is_one_line_and_can_be_continued(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with serving(files={"/a.zip": CONTENT}) as server:
        resource.setrlimit(resource.RLIMIT_FSIZE, (DROP, hard))  # as good as a full disk
        try:
            with pytest.raises(InputError, match="File too large"):
                fetch(server, tmp_path / "a.zip")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        fetch(server, tmp_path / "a.zip")
        assert (tmp_path / "a.zip").read_bytes() == CONTENT
        assert server.fetched()[1][0] > DROP - 65536


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    tmp_path.chmod(0o500)
    with serving(files={"/a.zip": CONTENT}) as server, pytest.raises(InputError, match="Permission denied"):
        fetch(server, tmp_path / "a.zip")


def test_a_file_in_the_way_of_the_folder_is_one_line(tmp_path):
    (tmp_path / "raw").write_text("")
    with serving(files={"/a.zip": CONTENT}) as server, pytest.raises(InputError, match="raw: .*exists|Not a dir"):
        fetch(server, tmp_path / "raw" / "a.zip")
