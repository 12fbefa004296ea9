"""Say who sounds how when in a long recording: its speech, cut at pauses, and the emotion of each utterance.

Speech is found by a voice activity detector. Each channel of a recording has its own timeline, as of a telephone call;
channels that are the same have one. A recording may be hours long: it is read as it goes, and memory does not grow. Of
a damaged one all is used that lies before the damage; then that is said, and the exit code is 1.

--output writes a file, and may be repeated; its ending says which:

.csv .json             for programs
.rttm                  speech tools (NIST)
.vtt .srt              subtitles, for players
.txt                   labels of Audacity
.TextGrid              Praat
.eaf                   ELAN
.png .svg .pdf         a picture: waveform, emotions, probabilities
"""

from __future__ import annotations

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

    from ser.timelines.segments import Timeline

PICTURES = (".png", ".svg", ".pdf")
SLOW = 3.0  # s after which a progress bar is shown


@click.command(help=help_of(__doc__))
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--model",
    metavar="NAME_OR_FOLDER",
    help="As of `ser predict`.  [default: the best on validation speakers]",
)
@click.option(
    "--window",
    type=float,
    metavar="SECONDS",
    help="Answer for sliding windows of this length instead of utterances.",
)
@click.option("--hop", type=float, metavar="SECONDS", help="From one window to the next.  [default: a third of it]")
@click.option("--mix", is_flag=True, help="One timeline of the mean of all channels.")
@click.option("--calibrated", is_flag=True, help="As of `ser predict`.")
@click.option("--certainty", type=float, default=0.0, metavar="0..1", help="As of `ser predict`.")
@click.option(
    "--format",
    "form",
    metavar="NAME",
    default="table",
    show_default=True,
    help="What is printed: table, csv, json, rttm, vtt, srt, audacity, textgrid or eaf.",
)
@click.option(
    "--output", "outputs", multiple=True, type=click.Path(path_type=Path), help="Also write this file; see above."
)
def command(
    file: Path,
    model: str | None,
    window: float | None,
    hop: float | None,
    mix: bool,
    calibrated: bool,
    certainty: float,
    form: str,
    outputs: tuple[Path, ...],
) -> int:
    # on several threads, products of so small matrices wait for each other; both are read when libraries are loaded
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_THREAD_LIMIT", "1")
    from ser.timelines.formats import FORMATS

    if form not in ("table", *FORMATS):
        raise click.BadParameter(f"{form}: allowed are table, {', '.join(FORMATS)}", param_hint="--format")
    writers = {path: writer_of(path) for path in outputs}
    if not 0 <= certainty <= 1:
        raise click.BadParameter(f"{certainty}: allowed are 0 to 1", param_hint="--certainty")
    from ser.audio.recordings import UnusableAudioError
    from ser.commands.predict import warnings_before
    from ser.prediction.asked_timeline import windows_of
    from ser.prediction.trained_model import load

    try:
        windows_of(window, hop)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--window, --hop") from None
    loaded = load(model)
    for line in warnings_before(loaded, [], None, None):
        print(line, file=sys.stderr)
    with ExitStack() as stack:
        try:
            timeline = loaded.timeline(
                file,
                window=window,
                hop=hop,
                mix=mix,
                calibrated=calibrated,
                certainty=certainty,
                progress=progress_bar(stack),
            )
        except UnusableAudioError as error:
            raise InputError(f"{file}: {error}") from None
    print(as_table(timeline) if form == "table" else FORMATS[form].write(timeline).rstrip("\n"))
    notes = dict.fromkeys(write(timeline, path) for path, write in writers.items())
    for line in [*filter(None, notes), *said_after(timeline)]:
        print(line, file=sys.stderr)
    return int(not timeline.is_whole)


def writer_of(path: Path) -> Callable[[Timeline, Path], str]:
    """Return what writes a timeline to a file, as its ending says, and returns what is to be said of it."""
    from ser.storage.whole_files import written
    from ser.timelines.formats import FORMATS

    if path.suffix.lower() in PICTURES:
        require_writable(path)
        import matplotlib  # noqa: F401  # or say that it is missing before hours of work

        from ser.timelines.timeline_picture import draw

        return draw
    by_suffix = {form.suffix.lower(): form for form in FORMATS.values()}
    if path.suffix.lower() not in by_suffix:
        allowed = ", ".join([*(form.suffix for form in FORMATS.values()), *PICTURES])
        raise click.BadParameter(f"{path}: allowed are {allowed}", param_hint="--output")
    require_writable(path)
    form = by_suffix[path.suffix.lower()]

    def write(timeline: Timeline, path: Path) -> str:
        with written(path) as temporary:
            temporary.write_text(form.write(timeline), encoding="utf-8", newline="")
        return ""

    return write


def progress_bar(stack: ExitStack) -> Callable[[float, float | None], None]:
    """Return what shows how far a timeline has come, once it has taken a while."""
    from tqdm import tqdm

    bar = stack.enter_context(tqdm(desc="timeline", unit="s", unit_scale=True, delay=SLOW, mininterval=0.5))

    def advance(done: float, whole: float | None) -> None:
        bar.total = whole and round(whole)
        bar.update(int(done) - bar.n)

    return advance


def as_table(timeline: Timeline) -> str:
    """Return the speech of a timeline as lines, and a line of the whole."""
    lines = []
    for number, channel in enumerate(timeline.channels, start=1):
        rows: list[tuple[str, ...]] = [("start", "end", "emotion", "probability", "unfamiliar")]
        for segment in channel.segments:
            if segment.speech:
                sure = "" if segment.probabilities is None else f"{segment.probabilities.max():.3f}"
                times = clock(segment.start), clock(segment.end)
                rows.append((*times, segment.emotion or "?", sure, segment.unfamiliar))
        if len(timeline.channels) > 1:
            lines.append(f"channel {number}")
        if not any(row[-1] for row in rows[1:]):
            rows = [row[:-1] for row in rows]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        if len(rows[0]) == 5:
            widths[-1] = 0  # long, and at the left
        if len(rows) > 1:
            lines += ["  ".join(map(str.rjust, row, widths)).rstrip() for row in rows]
    return "\n".join([*lines, *timeline.in_words()])


def clock(seconds: float) -> str:
    """Return a time as ``1:02:03.45``, hours only where there are some."""
    hundredths = round(100 * seconds)
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    start = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{start}:{rest / 100:05.2f}"


def said_after(timeline: Timeline) -> list[str]:
    """Return what is to be said of a timeline besides."""
    speech = [segment for channel in timeline.channels for segment in channel.segments if segment.speech]
    lines = [f"note: {remark}" for remark in timeline.remarks]
    unlike = sum(bool(segment.unfamiliar) and bool(segment.emotion) for segment in speech)
    if unlike:
        lines.append(
            f"warning: {unlike} of {len(speech)} segments of speech are unlike the recordings that this model learnt "
            "from: unfamiliar says in what"
        )
    if unanswered := sum(not segment.emotion for segment in speech):
        lines.append(f"note: {unanswered} of {len(speech)} segments of speech have no answer: unfamiliar says why")
    if not speech:
        lines.append("note: no speech was found")
    return lines
