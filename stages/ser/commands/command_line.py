"""The command `ser`: its commands in groups; each is imported only when it runs, its errors are one line."""

import copy
import importlib
import os
import re
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

import click

from ser.errors import REMEDIES, InputError, end_in_order, install, print_any_letters, refusal

DISTRIBUTION = "reproducible-ser"


class Entry(NamedTuple):
    """A command: the module of this room that holds it, and what it does, in a line."""

    module: str
    about: str
    needs_clone: bool = False  # reads params.yaml, dvc.lock or git: there is nothing to do elsewhere


GROUPS = {  # heading: an example, the commands
    "Use a model": (
        "ser predict call.m4a",
        {
            "predict": Entry("predict", "Predict the emotion of audio files with a trained model."),
            "timeline": Entry("timeline", "Say who sounds how when in a long recording."),
            "explain": Entry("explain", "Say what decided the answer for a recording."),
            "show": Entry("show_clip", "Show a clip on a page, and what each model says of it."),
            "adapt": Entry("adapt", "Adapt a model to one's own microphone and people."),
            "export": Entry("export_model", "Write a trained model as one ONNX file."),
            "serve": Entry("serve", "Serve a model: a page with a microphone, and an API."),
        },
    ),
    "Data": (
        "ser audit ~/recordings",
        {
            "audit": Entry("audit_files", "Say what is wrong with the files of a corpus."),
            "corpus": Entry("fetch_corpus", "Fetch a published corpus, or list them.", needs_clone=True),
            "checkpoint": Entry("fetch_checkpoint", "Fetch a pretrained encoder."),
            "collect": Entry("collect", "Fetch speech from the web and cut it into utterances.", needs_clone=True),
            "demo": Entry("write_demo", "Write the synthetic corpus as WAV files to listen to."),
        },
    ),
    "Experiments": (
        "ser override strong emodb raw.path=/data/corpora",
        {
            "override": Entry("override", "Change settings in params.yaml.", needs_clone=True),
            "tune": Entry("tune", "Search for better settings, a DVC experiment a trial.", needs_clone=True),
            "ablation": Entry("run_ablation", "Measure what each part of the pipeline brings.", needs_clone=True),
            "experiments": Entry("list_experiments", "List all experiments as a table and a chart.", needs_clone=True),
        },
    ),
    "Review": (
        "ser pr-report --base main",
        {
            "pr-report": Entry("report_pull_request", "Report what a branch changes, with intervals.", True),
            "gate": Entry("gate_pull_request", "Fail if a model has become worse than on another branch."),
            "compare-machine": Entry("compare_machine", "Say if the results come from another kind of CPU.", True),
        },
    ),
    "Reference": (
        "ser features",
        {
            "features": Entry("list_features", "Explain every feature (docs/features.md).", needs_clone=True),
            "corpora": Entry("list_corpora", "Explain the known corpora (docs/corpora.md).", needs_clone=True),
            "completion": Entry("completion", "Print what lets a shell complete these commands."),
        },
    ),
}
ENTRIES = {name: entry for _, entries in GROUPS.values() for name, entry in entries.items()}
EXTRAS = {  # which extra brings a package; all others: train
    "dask": "dask",
    "distributed": "dask",
    "optuna": "tune",
    "transformers": "transformers",
    "safetensors": "transformers",
    "huggingface_hub": "transformers",
    "yt_dlp": "collect",
    "PIL": "plots",
    "jinja2": "plots",  # a command that needs all of train lacks something else first
    "matplotlib": "plots",
    "fastapi": "serve",
    "python_multipart": "serve",
    "requests": "serve",  # what else fetches needs more of train
    "starlette": "serve",
    "uvicorn": "serve",
    "websockets": "serve",
}


class Commands(click.Group):
    """The commands of the table above, imported one at a time."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(ENTRIES)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in ENTRIES:
            return None
        command = copy.copy(importlib.import_module(f"ser.commands.{ENTRIES[name].module}").command)
        if ENTRIES[name].needs_clone:
            command.callback = _in_a_clone(name, command.callback)
        return command

    def resolve_command(self, context: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(context, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=list(ENTRIES), ctx=context) from None

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, ENTRIES))
        for heading, (example, entries) in GROUPS.items():
            with formatter.section(f"{heading}, as in `{example}`"):
                formatter.write_dl([(name.ljust(width), entry.about) for name, entry in entries.items()])


def _in_a_clone(name: str, callback: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command's function that first asks whether there is anything it could work on."""

    @wraps(callback)
    def checked(*args: Any, **options: Any) -> Any:
        if not (Path("dvc.yaml").is_file() or Path("params.yaml").is_file()):
            raise InputError(f"`ser {name}` works in a clone of the project: change to its root, where dvc.yaml is")
        return callback(*args, **options)

    return checked


def help_of(text: str) -> str:
    """Return a module's docstring as the help of its command: paragraphs in columns keep their lines."""
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(f"\b\n{part}" if re.search(r"\S {2,}\S|^ ", part, re.M) else part for part in paragraphs)


def print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print the version of the package and, in a clone, the commit that its library is of."""
    if not wanted or context.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version  # here, as in a cold start every import counts

    try:
        number = version(DISTRIBUTION)
    except PackageNotFoundError:
        number = "(not installed)"
    click.echo(f"ser {number}{commit_of(Path(__file__).parents[3])}")
    context.exit()


def commit_of(root: Path) -> str:
    """Return the commit of a clone, and whether its library was changed since, in brackets; "" elsewhere."""
    if not (root / "dvc.yaml").is_file():
        return ""
    import subprocess

    git = ["git", "-C", str(root)]
    try:
        commit = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run([*git, "status", "--porcelain", "--", "stages"], capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f" (commit {commit.stdout.strip()}{', changed' if changed.stdout else ''})"


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`ser COMMAND --help` explains a command; README.md and docs/ explain the rest.",
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=print_version, help="Show the version."
)
def ser() -> None:
    """Speech emotion recognition, reproducible."""


def main() -> None:
    """Run `ser`; what is not the program's fault ends in one line and an exit code: 1 failed, 2 wrongly called."""
    print_any_letters()
    os.environ.pop("MPLBACKEND", None)  # of a notebook whose terminal this is: where it is not installed, nothing draws
    end_in_order()
    sys.argv[1:] = map(without_tilde, sys.argv[1:])
    try:
        code = ser(prog_name="ser", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:  # click's word for an interruption
        code = _failure("interrupted", 130)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except InputError as error:
        code = _failure(f"error: {error}")
    except ModuleNotFoundError as error:
        code = _failure(_missing(error))
    except BrokenPipeError:  # `ser … | head`: what is left must not fail once more on leaving
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    except OSError as error:
        code = _failure(f"error: {refusal(error)}")
    sys.exit(code)


def require_writable(path: Path) -> None:
    """Refuse a file that cannot be written before hours of work, and not after."""
    from ser.storage.whole_files import temporary_name

    if path.is_dir():
        raise click.BadParameter(f"{path}: it is a folder", param_hint="--output")
    try:
        temporary = temporary_name(path.with_name(f"{os.getpid()}-{path.name}"))  # the usual one may be another's
        temporary.touch()
        temporary.unlink()
    except OSError as error:
        if error.errno in REMEDIES:
            raise
        where = "" if error.filename in (None, str(path)) else f" ({error.filename})"
        raise click.BadParameter(f"{path}: {error.strerror}{where}", param_hint="--output") from None


def without_tilde(argument: str) -> str:
    """Return an argument with the home folder that shells leave as ``~`` behind an equals sign: ``--output=~/out``."""
    option = re.match(r"(?:-{0,2}[\w.-]+=)?", argument)
    path = argument[option.end() :] if option else argument
    return argument.removesuffix(path) + os.path.expanduser(path) if path.startswith("~") else argument


def _failure(line: str, code: int = 1) -> int:
    print(line, file=sys.stderr)
    return code


def _missing(error: ModuleNotFoundError) -> str:
    """Say what brings a package that is not there; one of our own modules that is missing is our fault."""
    package = (error.name or "").partition(".")[0]
    if package in ("", "ser"):
        raise error
    return f"error: {package} is not installed: {install(EXTRAS.get(package, 'train'))}"
