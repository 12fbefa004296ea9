"""Writing files such that a reader, or a run killed half-way, never meets half a file."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def written(path: Path | str) -> Iterator[Path]:
    """Yield a temporary name beside `path`, renamed to `path` when the block ends without an error."""
    temporary = temporary_name(path)
    try:
        yield temporary
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):  # none was begun
            temporary.unlink()
        raise


def temporary_name(path: Path | str) -> Path:
    """Return the name of `path` while it is being written, in a folder that exists."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".tmp-{path.name}")


def write_json(content: dict | list, path: Path | str) -> None:
    """Write a dictionary or a list as indented JSON; NaN is refused because JSON has none."""
    with written(path) as temporary:
        text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")  # whatever the terminal's is: labels are any words
