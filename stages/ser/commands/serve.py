"""Serve a trained model over HTTP: a page with a microphone, and an API for programs.

The page records or takes a file, and shows a timeline; /docs says what programs may ask. Recordings go to this machine
only: they are worked on in a temporary folder, removed with the answer, and named in no log.

Only this machine can reach it. With another --host others can: then SER_TOKEN in the environment is a secret that they
must give (Authorization: Bearer ...; of the page's address, #token=... at its end). The connection is not encrypted:
put a proxy that does TLS before it.

With --static nothing is served: a page that predicts in the browser alone is written into a folder.
"""

from __future__ import annotations

import math
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from ser.commands.command_line import help_of


def finite(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    """Refuse NaN and infinity, which click takes for numbers within any range."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is no number that can be counted to")
    return value


@click.command(help=help_of(__doc__))
@click.option(
    "--model",
    metavar="NAME_OR_FOLDER",
    help="A model's folder, or its name below data/models, such as svm_rbf.  "
    "[default: the best on validation speakers]",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Name or address to listen at.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any that is free; it is said."
)
@click.option("--workers", type=click.IntRange(1, 1024), help="Recordings worked on at a time.  [default: one a core]")
@click.option(
    "--waiting", type=click.IntRange(0), help="Recordings that wait for their turn; more are refused.  [default: 200]"
)
@click.option(
    "--megabytes",
    type=click.FloatRange(0, min_open=True),
    callback=finite,
    help="Most of a recording.  [default: 50]",
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    callback=finite,
    help="Most of a timeline or a live stream.  [default: 60]",
)
@click.option("--streams", type=click.IntRange(0), help="Live streams at a time.  [default: 8]")
@click.option(
    "--patience",
    type=click.FloatRange(0, min_open=True),
    callback=finite,
    metavar="SECONDS",
    help="How long a client may keep silent in the midst of a request.  [default: 10]",
)
@click.option("--static", type=click.Path(path_type=Path), metavar="FOLDER", help="Write the page for browsers alone.")
@click.option(
    "--runtime",
    metavar="FILE_OR_URL",
    help="With --static: where onnxruntime-web's package is.  [default: the npm registry, kept in the user's cache]",
)
def command(
    model: str | None,
    host: str,
    port: int,
    workers: int | None,
    waiting: int | None,
    megabytes: float | None,
    minutes: float | None,
    streams: int | None,
    patience: float | None,
    static: Path | None,
    runtime: str | None,
) -> int:
    # a thread a recording: more would wait for each other; it is read when NumPy is imported
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # here, as `ser serve --help` needs none of it
    if static:
        from ser.serving.static_page import write_static_page

        about = write_static_page(model, static, runtime=runtime)
        warn_of_synthetic_speech(about["learnt_from"])
        if about["copies_left_out"]:
            print(f"the page answers by recordings alone, not by their copies: {', '.join(about['copies_left_out'])}")
        print(f"{static}: {about['model']}, for any web server, such as")
        print(f"python -m http.server --bind 127.0.0.1 --directory {shlex.quote(str(static))}")
        return 0
    if runtime:
        raise click.UsageError("--runtime goes with --static")
    from ser.prediction.trained_model import load
    from ser.serving.limits import MB, Limits
    from ser.serving.server import serve

    given: dict[str, Any] = {
        "workers": workers,
        "waiting": waiting,
        "upload_bytes": megabytes and int(megabytes * MB),
        "timeline_seconds": minutes and 60 * minutes,
        "live_seconds": minutes and 60 * minutes,
        "live_streams": streams,
        "header_seconds": patience,
        "stall_seconds": patience,
    }
    limits = Limits()._replace(**{name: value for name, value in given.items() if value is not None})
    loaded = load(model)
    warn_of_synthetic_speech(loaded.learnt_from)
    return serve(loaded, host=host, port=port, limits=limits)


def warn_of_synthetic_speech(learnt_from: dict[str, Any]) -> None:
    """Say it where a model learnt from nothing else."""
    if all(corpus["synthetic"] for corpus in learnt_from["corpora"].values()):
        print(
            f"warning: this model learnt from synthetic speech only ({', '.join(learnt_from['corpora'])}): what it "
            "says of real recordings means nothing; train on real speech first",
            file=sys.stderr,
        )
