"""Downloading a large file: resumed after an interruption, checked, and under its name only when it is whole."""

import errno
import hashlib
import json
import re
import time
from pathlib import Path

import requests
from tqdm import tqdm

from ser.errors import InputError
from ser.storage.whole_files import write_json

ATTEMPTS = 5  # in a row that bring nothing
TIMEOUT = (15, 60)  # s, to connect and between two blocks
BLOCK = 1 << 16  # bytes; what is lost when the connection drops
PASSING = {408, 425, 429, 500, 502, 503, 504}  # answers that another attempt may change


class _InterruptedError(Exception):
    """The server or the connection failed in a way that may pass."""


def download(url: str, target: Path | str, *, size: int = 0, md5: str = "", pause: float = 1.0) -> bool:
    """Download a file unless it is there; an interrupted download goes on where it ended.

    The beginning is kept in a hidden file beside `target`. The rest is asked for under the condition that the file
    is still the same one (its ETag or date), so that an old beginning is never continued by a newer end.

    Parameters
    ----------
    url : str
    target : Path
        Its folder is made.
    size : int
        Bytes that the publisher states; 0: none stated.
    md5 : str
        Hexadecimal digest that the publisher states; empty: none stated.
    pause : float
        Seconds before the second attempt; doubled before each further one.

    Returns
    -------
    bool
        False if the file was there already.

    Raises
    ------
    InputError
        If it cannot be had or written, or is not what the publisher states; or if the file that is there is not.
    """
    target = Path(target)
    part = target.with_name(f".tmp-{target.name}.part")
    if target.exists():
        if problem := mismatch(target, size, md5):
            raise InputError(f"{target}: {problem}; remove it to fetch it again")
        return False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _fetch_whole(url, part, label=target.name, pause=pause)
        if problem := mismatch(part, size, md5):
            _forget(part)
            raise InputError(
                f"{url}: {problem}; what came was deleted: try again, and if it stays so the published file has changed"
            )
        part.replace(target)
        _note_of(part).unlink(missing_ok=True)
    except OSError as error:
        remedy = "; free some space and run it again, it goes on" if error.errno == errno.ENOSPC else ""
        raise InputError(f"{error.filename or part}: {error.strerror or error}{remedy}") from None
    return True


def mismatch(path: Path, size: int, md5: str) -> str:
    """Say in what a file differs from the stated size (0: none) and MD5 (empty: none); empty if in nothing."""
    if size and path.stat().st_size != size:
        return f"{path.stat().st_size} bytes instead of {size}"
    if md5:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "md5").hexdigest()
        if found != md5.lower():
            return f"MD5 {found} instead of {md5.lower()}"
    return ""


def _fetch_whole(url: str, part: Path, *, label: str, pause: float) -> None:
    """Fetch what is missing of `part`, in as many attempts as it takes."""
    failures = 0
    while True:
        before = _size(part)
        try:
            return _fetch_rest(url, part, label=label)
        except _InterruptedError as error:
            failures = 1 if _size(part) > before else failures + 1
            if failures == ATTEMPTS:
                raise InputError(f"{url}: {error}; run it again later, it goes on where it ended") from None
        time.sleep(pause * 2 ** (failures - 1))


def _fetch_rest(url: str, part: Path, *, label: str) -> None:
    """Make one request for what is missing of `part`."""
    note = _read_note(part, url)
    start = _size(part) if note["same"] else 0
    if start and start == note["size"]:
        return
    headers = {"Accept-Encoding": "identity"}  # a file packed on the way has another length and cannot be resumed
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": note["same"]}
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            _require_file(answer, part)
            resumed = re.match(rf"bytes {start}-\d+/(\d+|\*)$", answer.headers.get("Content-Range", ""))
            if start and answer.status_code == 206 and resumed:
                total = note["size"]
            else:
                start, total = 0, int(answer.headers.get("Content-Length", 0))
                _begin(part, {"url": url, "same": _same(answer), "size": total})
            bar = tqdm(desc=label, total=total or None, initial=start, unit="B", unit_scale=True)
            with part.open("ab") as file, bar:
                for block in answer.iter_content(BLOCK):
                    file.write(block)
                    file.flush()
                    bar.update(len(block))
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
        raise _InterruptedError(_cause(error)) from None
    except (requests.RequestException, ValueError) as error:
        raise InputError(f"{url}: {_cause(error)}") from None
    if total and _size(part) != total:
        found = _size(part)
        if found > total:
            _forget(part)
        raise _InterruptedError(f"{found} bytes came instead of {total}")


def _require_file(answer: requests.Response, part: Path) -> None:
    """Refuse what is no file: an error, or the page that stands in for a file behind a form."""
    said = f"the server answers {answer.status_code} {answer.reason}"
    if answer.status_code == 416:  # the beginning is longer than the file has become
        _forget(part)
        raise _InterruptedError(said)
    if answer.status_code in PASSING:
        raise _InterruptedError(said)
    if answer.status_code not in (200, 206):
        raise InputError(f"{answer.url}: {said}; if the file has moved, give its new address with --url")
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        raise InputError(f"{answer.url}: a web page and not a file; open it in a browser, it may ask for consent")


def _same(answer: requests.Response) -> str:
    """Return what shows that a later answer is of the same file: its ETag unless a weak one, or its date."""
    etag = answer.headers.get("ETag", "")
    return etag if etag.startswith('"') else answer.headers.get("Last-Modified", "")


def _note_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _read_note(part: Path, url: str) -> dict:
    """Read which file `part` is the beginning of; of another address or unknown, it is of no use."""
    try:
        note = json.loads(_note_of(part).read_text(encoding="utf-8"))
        if note["url"] == url:
            return {"same": str(note["same"]), "size": int(note["size"])}
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return {"same": "", "size": 0}


def _begin(part: Path, note: dict) -> None:
    """Start anew. In this order: a kill in between must not leave an old beginning with the new note."""
    part.unlink(missing_ok=True)
    write_json(note, _note_of(part))


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _note_of(part).unlink(missing_ok=True)


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _cause(error: Exception) -> str:
    """Return the innermost reason of an error of requests in one line."""
    while isinstance(error.args and error.args[0], Exception) or hasattr(error, "reason"):
        inner = getattr(error, "reason", None) or error.args[0]
        if not isinstance(inner, Exception):
            break
        error = inner
    return " ".join(str(error).split()) or type(error).__name__
