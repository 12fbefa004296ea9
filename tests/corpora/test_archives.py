"""Archives: read in place and not trusted; whatever is in them, nothing is written and nothing hangs."""

import gzip
import io
import os
import random
import struct
import subprocess
import sys
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_files import bomb, pack
from conftest import ROOT
from ser.audio.cleaning import UnusableAudioError
from ser.corpora import archives, tar_headers
from ser.corpora.archives import LARGEST_FILE, Archive, open_archive
from ser.errors import InputError

CONTENT = {"Actor_01/a.wav": b"first" * 100, "Actor_02/дом.wav": b"second" * 50000, "notes.txt": b""}
KINDS = [".zip", ".tar", ".tar.gz", ".tgz"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_packed_is_read_in_any_order(tmp_path, kind):
    archive = Archive(pack(tmp_path / f"x{kind}", CONTENT))
    assert archive.refused == []
    assert archive.names == list(CONTENT)
    for name in [*reversed(CONTENT), *CONTENT]:
        assert archive.read(name) == CONTENT[name]
        assert archive.first_bytes(name, 8) == CONTENT[name][:8]


@pytest.mark.parametrize("kind", KINDS)
def test_names_that_lead_out_are_refused(tmp_path, kind):
    names = ["../up.wav", "a/../../up.wav", "/etc/up.wav", "..\\up.wav", "C:\\up.wav", "good/in.wav"]
    archive = Archive(pack(tmp_path / f"x{kind}", dict.fromkeys(names, b"x")))
    assert archive.names == ["good/in.wav"]
    assert {reason for _, reason in archive.refused} == {"its name leads out of the archive"}
    assert len(archive.refused) == 5
    assert os.listdir(tmp_path) == [f"x{kind}"]


def test_links_devices_and_sparse_files_of_a_tar_are_refused(tmp_path):
    path = tmp_path / "x.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, kind in (("soft", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("fifo", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(f"{name}.wav")
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
        info = tarfile.TarInfo("good.wav")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"yes"))
    archive = Archive(path)
    assert archive.names == ["good.wav"]
    assert sorted(name for name, _ in archive.refused) == ["fifo.wav", "hard.wav", "soft.wav"]


def test_links_and_encrypted_files_of_a_zip_are_refused(tmp_path):
    path = tmp_path / "x.zip"
    link = zipfile.ZipInfo("link.wav")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("secret.wav", b"x")
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 8] |= 1  # what says that the last entry is encrypted
    path.write_bytes(content)
    assert Archive(path).refused == [("link.wav", "a link"), ("secret.wav", "encrypted")]


def test_of_two_files_of_one_name_the_first_is_read(tmp_path):
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as tar:
        for data in (b"one", b"two!"):
            info = tarfile.TarInfo("a.wav")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    archive = Archive(path)
    assert archive.read("a.wav") == b"one"
    assert "two files of this name" in dict(archive.refused)["a.wav"]


def test_a_name_written_without_the_utf8_flag_is_read_as_it_was_meant(tmp_path):
    path = tmp_path / "x.zip"
    pack(path, {"дом.wav": b"x"})
    content = path.read_bytes()
    flag = (0x800).to_bytes(2, "little")
    path.write_bytes(content.replace(flag, b"\0\0"))
    assert Archive(path).names == ["дом.wav"]


def test_a_bomb_is_not_unpacked(tmp_path):
    path = bomb(tmp_path / "x.tar.gz")
    archive = Archive(path)
    assert archive.names == []
    assert "unpacks to far more than speech can" in dict(archive.refused)["bomb.wav"]


def test_a_zip_member_that_is_too_large_is_refused(tmp_path):
    archive = Archive(pack(tmp_path / "x.zip", {"bomb.wav": bytes(LARGEST_FILE + 1), "good.wav": b"x"}))
    assert archive.names == ["good.wav"]
    assert "unpacks to 128 MiB" in dict(archive.refused)["bomb.wav"]


def header(kind, size, name="x.wav"):
    """Return a header of a .tar with any size."""
    info = tarfile.TarInfo(name)
    info.type = kind
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[124:136] = tarfile.itn(size, 12, tarfile.GNU_FORMAT)
    return checked(block)


def checked(block):
    """Return a header with the right checksum."""
    block[148:156] = b"%06o\0 " % tarfile.calc_chksums(block)[0]
    return bytes(block)


def pax(records, kind=tarfile.XHDTYPE):
    return header(kind, len(records)) + records.ljust(-(-len(records) // 512) * 512, b"\0")


def record(key, value):
    """Return a record of a pax header, which begins with its own length."""
    body = f" {key}={value}\n".encode()
    return next(b"%d" % n + body for n in range(len(body), len(body) + 20) if n == len(b"%d" % n + body))


def write_tar(path, content):
    path.write_bytes(content if path.suffix == ".tar" else gzip.compress(content))
    return path


GOOD = header(tarfile.REGTYPE, 3, "good.wav") + b"yes".ljust(512, b"\0")
END = bytes(1024)


def damaged_archive(path, content):
    """Read an archive that is right for one file and then not: the refusal of the rest."""
    archive = Archive(write_tar(path, GOOD + content + GOOD + END))
    assert archive.names == ["good.wav"]
    assert archive.read("good.wav") == b"yes"
    return dict(archive.refused)[""]


@pytest.mark.parametrize("kind", [".tar", ".tar.gz"])
@pytest.mark.parametrize(
    "type_", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE]
)
@pytest.mark.parametrize("size", [-512, -(2**40), 2**21, 2**36, 2**60, 2**87])
def test_a_header_that_claims_to_be_huge_is_not_read_into_memory(tmp_path, kind, type_, size):
    path = tmp_path / f"x{kind}"
    assert f"a header claims {size} bytes" in damaged_archive(path, header(type_, size) + bytes(2**20))
    write_tar(path, header(type_, size) + bytes(2**20))
    with pytest.raises(InputError, match="cannot be read as an archive"):
        Archive(path)


@pytest.mark.parametrize("kind", [".tar", ".tar.gz"])
@pytest.mark.parametrize("size", [-1, -512, -1024, -(2**40), -(2**87)])
@pytest.mark.parametrize("type_", [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.GNUTYPE_SPARSE, b"?"])
def test_a_negative_size_does_not_lead_back(tmp_path, kind, size, type_):
    assert "a negative size" in damaged_archive(tmp_path / f"x{kind}", header(type_, size))


@pytest.mark.parametrize("kind", [".tar", ".tar.gz"])
@pytest.mark.parametrize("type_", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE])
@pytest.mark.parametrize("value", ["-1", "-512", "1e3", "", "+5", "0x1", "1_0", "\u0663"])
def test_a_size_in_a_record_that_is_no_number_ends_the_archive(tmp_path, kind, type_, value):
    content = pax(record("size", value), type_)
    assert "a size that is no number" in damaged_archive(tmp_path / f"x{kind}", content)


def test_a_size_in_a_record_that_is_huge_ends_the_archive(tmp_path):
    archive = Archive(write_tar(tmp_path / "x.tar", GOOD + pax(record("size", "9" * 30)) + GOOD + END))
    assert archive.names == ["good.wav"]
    assert "unpacks to far more" in archive.refused[0][1]


@pytest.mark.parametrize(
    "records", [b"0 path=a\n", b"99 path=a\n", b"path=a\n", b"8 path=a", b"2 " * 5000, b"1" * 10**6]
)
def test_damaged_records_end_the_archive(tmp_path, records):
    assert "a damaged record" in damaged_archive(tmp_path / "x.tar.gz", pax(records))


@pytest.mark.parametrize("key", ["GNU.sparse.map", "GNU.sparse.size", "GNU.sparse.major", "GNU.sparse.name"])
@pytest.mark.parametrize("value", ["1", "-1", "1,2,3", "x" * 1000])
def test_a_file_with_a_sparse_record_is_refused(tmp_path, key, value):
    content = pax(record(key, value)) + header(tarfile.REGTYPE, 3, "sparse.wav") + bytes(512) + GOOD + END
    archive = Archive(write_tar(tmp_path / "x.tar", content))
    assert archive.names == ["good.wav"]
    assert [reason for _, reason in archive.refused] == ["a link or another special file"]


def test_a_sparse_file_of_old_is_passed_over_with_its_map(tmp_path):
    block = bytearray(header(tarfile.GNUTYPE_SPARSE, 3, "sparse.wav"))
    block[482] = 1
    more = bytearray(512)
    more[504] = 1
    archive = Archive(write_tar(tmp_path / "x.tar", checked(block) + more + bytes(512) + bytes(512) + GOOD + END))
    assert archive.refused == [("sparse.wav", "a link or another special file")]
    assert archive.read("good.wav") == b"yes"
    assert "a header claims" in damaged_archive(tmp_path / "y.tar.gz", checked(block) + bytes(more) * 3000)


@pytest.mark.parametrize("type_", [tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_many_headers_in_a_row_are_no_recursion(tmp_path, type_):
    archive = Archive(write_tar(tmp_path / "x.tar", header(type_, 0) * 5000 + GOOD + END))
    assert (archive.names, archive.refused) == (["good.wav"], [])


def test_a_file_without_a_name_is_refused(tmp_path):
    archive = Archive(write_tar(tmp_path / "x.tar", header(tarfile.GNUTYPE_LONGNAME, 0) + GOOD + END))
    assert (archive.names, archive.refused) == ([], [(".", "it has no name")])


@pytest.mark.parametrize("kind", KINDS)
def test_no_more_files_than_any_corpus_has_are_listed(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(archives, "MOST_FILES", 10)  # of a .zip
    monkeypatch.setattr(tar_headers, "MOST_FILES", 10)
    archive = Archive(pack(tmp_path / f"x{kind}", {f"{number}.wav": b"x" for number in range(20)}))
    assert len(archive.names) == 10
    assert "10" in dict(archive.refused)[""]


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_is_too_long_is_refused_and_not_kept(tmp_path, kind):
    archive = Archive(pack(tmp_path / f"x{kind}", {"a/" * 20000 + "a.wav": b"x", "good.wav": b"x"}))
    assert archive.names == ["good.wav"]
    assert [len(name) for name, _ in archive.refused] == [103]


@pytest.mark.parametrize("kind", [".tar", ".tar.gz"])
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_form_of_tar_is_read_like_tarfile_reads_it(tmp_path, kind, form):
    path = tmp_path / f"x{kind}"
    names = ["short.wav", f"{'d' * 90}/{'n' * 90}.wav", "дом/ü.wav", *[f"{'x' * n}.wav" for n in (93, 94, 95, 96)]]
    names += [] if form == tarfile.USTAR_FORMAT else [f"{'long/' * 60}дом.wav"]
    with tarfile.open(path, "w" if kind == ".tar" else "w:gz", format=form, pax_headers={"comment": "x"}) as tar:
        for number, name in enumerate(names):
            info = tarfile.TarInfo(name)
            info.size, info.mtime = 511 + number, 1.5
            info.uname = "ж" * 10
            tar.addfile(info, io.BytesIO(bytes([number]) * info.size))
    archive = Archive(path)
    with tarfile.open(path) as tar:
        expected = {member.name: tar.extractfile(member).read() for member in tar}
    assert archive.refused == []
    assert {name: archive.read(name) for name in archive.names} == expected
    assert list(expected) == names


@pytest.mark.parametrize("kind", [".tar", ".tar.gz"])
def test_an_archive_may_end_without_zeros(tmp_path, kind):
    assert Archive(write_tar(tmp_path / f"x{kind}", GOOD)).refused == []


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_member_may_be_stored_or_deflated_and_not_lie_about_its_size(tmp_path, method):
    path = tmp_path / "x.zip"
    data = os.urandom(10_000) + bytes(2**24)
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.wav", data)
    assert Archive(path).read("a.wav") == data
    content = bytearray(path.read_bytes())
    for size in (10, 2**26):
        entry = content.rindex(b"PK\x01\x02")
        content[entry + 24 : entry + 28] = struct.pack("<L", size)
        path.write_bytes(content)
        with pytest.raises(UnusableAudioError, match="damaged inside its archive"):
            Archive(path).read("a.wav")


@pytest.mark.parametrize("method", [1, 9, 12, 14, 93, 98])
def test_a_zip_member_that_is_packed_by_another_method_is_refused(tmp_path, method):
    path = pack(tmp_path / "x.zip", {"a.wav": b"one"})
    content = bytearray(path.read_bytes())
    for start, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        place = content.index(start) + offset
        content[place : place + 2] = struct.pack("<H", method)
    path.write_bytes(content)
    assert Archive(path).refused == [("a.wav", f"packed by a method that is not read ({method}): pack it again")]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_archive_is_one_line(tmp_path, kind):
    for content in (b"", b"this is a text", bytes(5000), os.urandom(5000)):
        path = tmp_path / f"x{kind}"
        path.write_bytes(content)
        if kind == ".tar" and not content.strip(b"\0"):
            continue  # an empty archive
        with pytest.raises(InputError, match="cannot be read as an archive"):
            Archive(path)


@pytest.mark.parametrize("kind", [".tar", ".tar.gz"])
def test_an_archive_that_is_cut_off_gives_what_is_there_and_says_so(tmp_path, kind):
    noise = np.random.default_rng(1)
    content = {f"{number}.wav": noise.bytes(50000) for number in range(20)}
    path = pack(tmp_path / f"x{kind}", content)
    path.write_bytes(path.read_bytes()[:500_000])
    archive = Archive(path)
    assert 5 < len(archive.names) < 15
    assert "damaged or cut off" in dict(archive.refused)[""]
    assert archive.read("3.wav") == content["3.wav"]
    with pytest.raises(UnusableAudioError, match="damaged inside its archive"):
        archive.read(archive.names[-1])


def test_a_damaged_member_does_not_spoil_the_others(tmp_path):
    path = pack(tmp_path / "x.zip", {f"{number}.wav": os.urandom(5000) for number in range(3)})
    content = bytearray(path.read_bytes())
    content[7000] ^= 255
    path.write_bytes(content)
    archive = Archive(path)
    with pytest.raises(UnusableAudioError, match="damaged inside its archive"):
        archive.read("1.wav")
    assert len(archive.read("0.wav")) == len(archive.read("2.wav")) == 5000


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(st.sampled_from(KINDS), st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=8))
def test_mutated_archives_give_content_or_one_line(tmp_path_factory, kind, changes):
    folder = tmp_path_factory.getbasetemp() / "mutated"
    folder.mkdir(exist_ok=True)
    path = pack(folder / f"x{kind}", CONTENT)
    content = bytearray(path.read_bytes())
    for place, value in changes:
        content[place % len(content)] = value
    path.write_bytes(content)
    try:
        archive = Archive(path)
        for name in archive.names:
            with suppress(UnusableAudioError):
                assert isinstance(archive.read(name), bytes)
    except InputError:
        pass
    assert os.listdir(folder) == [path.name]
    path.unlink()


NUMBERS = [0, 1, -1, -512, -1024, 511, 513, 2**20, 2**21, 2**31, 2**32 - 1, 2**33, 2**63, -(2**63), 2**87, -(2**87)]
NAMES = [b"", b"/", b"../a", b"a" * 100, b"\xff\xfe", b"a\0b", b"C:\\a", b"//"]
RECORDS = [b"size", b"path", b"linkpath", b"hdrcharset", b"GNU.sparse.map", b"GNU.sparse.size", b"GNU.sparse.major"]
VALUES = [b"", b"BINARY", b"1,2,3", b"\xff", b"../a", b"9" * 5000, *[str(number).encode() for number in NUMBERS]]
TYPES = [bytes([number]) for number in b"01234567LKSxXgDVMN?\0"]


def mutated_tar(draw):
    """Return a .tar with headers that are wrong although their checksums are right."""
    content = b""
    for number in range(4):
        data = draw.randbytes(draw.choice([0, 3, 512, 700]))
        block = bytearray(header(draw.choice([b"0", b"0", *TYPES]), len(data), f"{number}.wav"))
        change = draw.randrange(8)
        if change == 0:
            block[124:136] = tarfile.itn(draw.choice(NUMBERS), 12, tarfile.GNU_FORMAT)
        elif change == 1:
            block[124:136] = draw.randbytes(12)
        elif change == 2:
            block[0:100] = draw.choice(NAMES).ljust(100, b"\0")
        elif change == 3:
            block[345:500] = (draw.choice(NAMES) or draw.randbytes(155)).ljust(155, b"\0")
        elif change == 4:
            block[draw.randrange(512)] = draw.randrange(256)
        elif change == 5:
            records = b""
            for _ in range(draw.randrange(1, 5)):
                body = b" " + draw.choice(RECORDS) + b"=" + draw.choice(VALUES) + b"\n"
                wrong = draw.choice([0, 0, 0, 0, -3, 1, 10**9])
                records += b"%d" % (len(body) + len(b"%d" % (len(body) + 2)) + wrong) + body
            content += pax(records, draw.choice([b"x", b"X", b"g", b"L", b"K"]))
        content += checked(block) + data.ljust(-(-len(data) // 512) * 512, b"\0")
    return content + bytes(draw.choice([0, 100, 512, 1024]))


def mutated_zip(draw):
    """Return a .zip with fields that are wrong in its directory, its end or before its files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number, method in enumerate([0, 8, 12, 14]):
            archive.writestr(f"{number}.wav", draw.randbytes(50) * draw.choice([0, 1, 50]), method)
    content = bytearray(file.getvalue())
    for _ in range(draw.randrange(1, 4)):
        start, length = draw.choice([(b"PK\x03\x04", 30), (b"PK\x01\x02", 46), (b"PK\x05\x06", 22)])
        places = [place for place in range(len(content)) if content.startswith(start, place)]
        if not places:
            continue
        place, width = draw.choice(places), draw.choice([1, 2, 4])
        offset = draw.randrange(4, length - width + 1)
        if draw.randrange(4) == 0:  # the method
            offset, value, width = (8 if length == 30 else 10), draw.choice([0, 8, 9, 12, 14, 98, 99]), 2
        elif draw.randrange(4) == 0:  # what is packed
            offset, value = draw.randrange(length, length + 60), draw.randrange(256)
        else:
            value = draw.choice(NUMBERS)
        content[place + offset : place + offset + width] = (value % 256**width).to_bytes(width, "little")
    return bytes(content)


def open_mutated(folder, number):
    """Open a number of mutated archives and read all in them; return how many could be opened."""
    opened = 0
    for seed in range(number):
        draw = random.Random(seed)
        path = Path(folder, f"{seed}{draw.choice(['.zip', '.tar', '.tar.gz'])}")
        if path.suffix == ".zip":
            path.write_bytes(mutated_zip(draw))
        else:
            write_tar(path, mutated_tar(draw))
        with suppress(InputError):
            archive = Archive(path)
            opened += 1
            for name in archive.names:
                with suppress(UnusableAudioError):
                    assert isinstance(archive.read(name), bytes)
        path.unlink()
    return opened


def test_archives_with_wrong_headers_open_or_are_refused_and_none_hangs(tmp_path):
    """In a process of its own, which may use 2 GiB more than it has at the start, and two minutes of processor time."""
    code = (
        "import sys, resource; sys.path.insert(0, sys.argv[2]); import test_archives as t; "
        "used = int(open('/proc/self/statm').read().split()[0]) * 4096; "
        "resource.setrlimit(resource.RLIMIT_AS, (used + 2**31,) * 2); "
        "resource.setrlimit(resource.RLIMIT_CPU, (120, 120)); print(t.open_mutated(sys.argv[1], 400))"
    )
    search = os.pathsep.join([str(ROOT / "tests"), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), str(ROOT / "tests/corpora")],
        env={**os.environ, "PYTHONPATH": search},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100  # not all are refused as a whole
    assert os.listdir(tmp_path) == []


def test_more_archives_than_a_corpus_has_stay_open(tmp_path):
    paths = [pack(tmp_path / f"{number}.zip", {"a.wav": b"x"}) for number in range(24)]
    first = [open_archive(path) for path in paths]
    assert all(open_archive(path) is archive for path, archive in zip(paths, first, strict=True))


def test_an_archive_stays_open_until_it_changes(tmp_path):
    path = pack(tmp_path / "x.zip", {"a.wav": b"one"})
    first = open_archive(path)
    assert open_archive(path) is first
    pack(path, {"a.wav": b"another"})
    assert open_archive(path).read("a.wav") == b"another"
