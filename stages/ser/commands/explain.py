"""Say what decided the answer of a model for a recording: which stretches of time, which groups of features.

Stretches are cut out, several at a time, and what the model answers without them tells what each does to the log odds
of the emotion: its effect, in nats, beside an average stretch. Whether one stands out from the others is tested; where
none does, that is said. The effect of a group of features is what its values add to the log odds in place of those that
are usual in the clips that the model learnt from; the effects of all groups add up to the whole difference.

--output writes a file, and may be repeated; its ending says which:

.csv .json             for programs
.png .svg .pdf         a picture: waveform, spectrogram, the effects
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ser.commands.command_line import help_of, require_writable
from ser.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ser.explaining.explanation import Explanation

PICTURES = (".png", ".svg", ".pdf")
SLOW = 3.0  # s after which a progress bar is shown


@click.command(help=help_of(__doc__))
@click.argument("model", metavar="MODEL")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--emotion", metavar="NAME", help="Explain this one.  [default: the most probable]")
@click.option("--calibrated", is_flag=True, help="As of `ser predict`.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="What is printed.",
)
@click.option(
    "--output", "outputs", multiple=True, type=click.Path(path_type=Path), help="Also write this file; see above."
)
def command(model: str, file: Path, emotion: str | None, calibrated: bool, form: str, outputs: tuple[Path, ...]) -> int:
    # on several threads, products of so small matrices wait for each other; it is read when NumPy is imported
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    writers = {path: writer_of(path) for path in outputs}
    from ser.audio.recordings import TOO_LONG, UnusableAudioError
    from ser.commands.predict import warnings_before
    from ser.prediction.trained_model import load

    loaded = load(model)
    for line in warnings_before(loaded, [], None, None):
        print(line, file=sys.stderr)
    with ExitStack() as stack:
        try:
            found = loaded.explain(file, emotion=emotion, calibrated=calibrated, progress=progress_bar(stack))
        except UnusableAudioError as error:
            remedy = ": `ser timeline` takes it" if str(error).startswith(TOO_LONG) else ""
            raise InputError(f"{file}: {error}{remedy}") from None
    print(in_form(found, form))
    for line in dict.fromkeys(write(found, path) for path, write in writers.items()):
        if line:
            print(line, file=sys.stderr)
    if found.unfamiliar:
        print(
            f"warning: {file} is unlike the recordings that this model learnt from: {found.unfamiliar}", file=sys.stderr
        )
    return 0


def in_form(explanation: Explanation, form: str) -> str:
    """Return an explanation as it is printed."""
    from ser.explaining.explanation_tables import as_dict, as_table, write_csv

    if form == "json":
        return json.dumps(as_dict(explanation), indent=1, ensure_ascii=False)
    return as_table(explanation) if form == "table" else write_csv(explanation).rstrip()


def writer_of(path: Path) -> Callable[[Explanation, Path], str]:
    """Return what writes an explanation to a file, as its ending says, and returns what is to be said of it."""
    from ser.storage.whole_files import written

    suffix = path.suffix.lower()
    if suffix not in (".csv", ".json", *PICTURES):
        allowed = ", ".join((".csv", ".json", *PICTURES))
        raise click.BadParameter(f"{path}: allowed are {allowed}", param_hint="--output")
    require_writable(path)
    if suffix in PICTURES:
        import matplotlib  # noqa: F401  # or say that it is missing before the work

        from ser.explaining.explanation_picture import draw

        return draw

    def write(explanation: Explanation, path: Path) -> str:
        from ser.explaining.explanation_tables import write_csv

        text = write_csv(explanation) if suffix == ".csv" else f"{in_form(explanation, 'json')}\n"
        with written(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")
        return ""

    return write


def progress_bar(stack: ExitStack) -> Callable[[int, int], None]:
    """Return what shows how far an explanation has come, once it has taken a while."""
    from tqdm import tqdm

    bar = stack.enter_context(tqdm(desc="explain", delay=SLOW, mininterval=0.5))

    def advance(done: int, whole: int) -> None:
        bar.total = whole
        bar.update(done - bar.n)

    return advance
