"""Archives that tests write."""

import gzip
import io
import tarfile
import zipfile


def pack(path, content):
    """Write an archive of the kind that the name says; a value that is no bytes is a TarInfo or a ZipInfo."""
    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in content.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as archive:
            for name, data in content.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return path


def bomb(path, size=10 * 2**30):
    """Write a .tar.gz whose one file unpacks to `size` zeros, in about a second: the same block over and over."""
    block = bytes(2**24)
    info = tarfile.TarInfo("bomb.wav")
    info.size = size
    with path.open("wb") as file:
        file.write(gzip.compress(info.tobuf(tarfile.GNU_FORMAT)))
        packed = gzip.compress(block)
        for _ in range(size // len(block)):
            file.write(packed)
        file.write(gzip.compress(bytes(10240)))
    return path
