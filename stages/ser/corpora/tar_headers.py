"""Listing what a .tar holds without believing its headers."""

import tarfile
from collections.abc import Iterator

LARGEST_HEADER = 2**20  # bytes of what a .tar says about one file; a name takes hundreds, all attributes some 64 KiB
MOST_FILES = 10**6  # the largest corpora have fewer; a .tar.gz of 1 MB may list as many empty ones
TAR_HEADERS = (b"L", b"K", b"x", b"X", b"g")  # long name, long link, records of the next file and of all to come


def tar_members(file, largest: int) -> Iterator[tuple[tarfile.TarInfo, bool]]:
    """Yield what a .tar holds, and whether it is sparse.

    TarFile believes the headers: it follows a negative size back for ever (CVE-2025-8194), reads as many bytes as a
    header claims, recurses from one to the next and takes quadratic time and memory for their records (CVE-2024-6232).
    Here the offset grows with every header, and what is read of one is bounded.

    Parameters
    ----------
    file : file object
        The archive, unpacked if it is a .gz.
    largest : int
        Bytes of it that may be read.

    Raises
    ------
    tarfile.TarError
        If it is damaged, after the members that come before.
    """
    offset = 0
    common, own = {}, {}  # what is said beforehand of all files to come and of the next one
    for _ in range(MOST_FILES):
        file.seek(offset)
        block = file.read(tarfile.BLOCKSIZE)
        if not block.strip(b"\0") and (block or offset):  # the zeros that end an archive; some have none
            file.seek(max(offset - 1, 0))
            if own or not file.read(1):
                raise tarfile.ReadError("unexpected end")
            return
        member = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        start = offset + tarfile.BLOCKSIZE
        if member.type in TAR_HEADERS:
            content = _header(file, member.size, largest - start)
            if member.type == tarfile.XGLTYPE:
                common.update(_pax_records(content))
            elif member.type == tarfile.GNUTYPE_LONGNAME:
                own["path"] = content.partition(b"\0")[0]
            elif member.type != tarfile.GNUTYPE_LONGLINK:
                own.update(_pax_records(content))
            offset = _next_block(start + member.size)
            continue
        said, own = {**common, **own}, {}
        if "path" in said:
            member.name = said["path"].decode("utf-8", "surrogateescape").rstrip("/")
        if "size" in said:
            if not said["size"].isdigit():
                raise tarfile.InvalidHeaderError("a size that is no number")
            member.size = int(said["size"])
        if member.size < 0:
            raise tarfile.InvalidHeaderError("a negative size")
        if member.type == tarfile.GNUTYPE_SPARSE and block[482]:  # more of its map follows
            while _header(file, tarfile.BLOCKSIZE, LARGEST_HEADER - (start - offset))[504]:
                start += tarfile.BLOCKSIZE
            start += tarfile.BLOCKSIZE
        member.offset_data = start
        yield member, member.type == tarfile.GNUTYPE_SPARSE or "sparse" in said
        has_content = member.isreg() or member.type not in tarfile.SUPPORTED_TYPES
        offset = _next_block(start + member.size if has_content else start)
    raise tarfile.ReadError(f"more than {MOST_FILES} files")


def _header(file, size: int, largest: int) -> bytes:
    if not 0 <= size <= min(LARGEST_HEADER, largest):
        raise tarfile.InvalidHeaderError(f"a header claims {size} bytes")
    content = file.read(size)
    if len(content) < size:
        raise tarfile.TruncatedHeaderError("unexpected end")
    return content


def _pax_records(content: bytes) -> dict[str, bytes]:
    """Return those of the records "<length> <key>=<value>\\n" that matter here; "sparse" stands for all of a map."""
    records, place = {}, 0
    while content[place : place + 1].strip(b"\0"):
        length, space, _ = content[place : place + 20].partition(b" ")  # no length takes more digits
        end = place + (int(length) if length.isdigit() else 0)
        start = place + len(length) + len(space)
        if not (space and start < end <= len(content) and content[end - 1 : end] == b"\n"):
            raise tarfile.InvalidHeaderError("a damaged record")
        key, _, value = content[start : end - 1].partition(b"=")
        if key in (b"path", b"size"):
            records[key.decode()] = value
        elif key.startswith(b"GNU.sparse."):
            records["sparse"] = value
            if key == b"GNU.sparse.name":
                records["path"] = value
        place = end
    return records


def _next_block(offset: int) -> int:
    return -(-offset // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
