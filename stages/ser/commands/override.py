"""Write named settings into params.yaml: files of the folder overrides/ by their names, and key=value.

Reads   overrides/<name>.yaml, a dotted key and its value a line
Writes  params.yaml, of which only the changed values differ (`git diff params.yaml`); `dvc repro` and `dvc exp run`
        follow it, `git restore params.yaml` goes back
"""

from collections.abc import Sequence
from pathlib import Path

import click

from ser.commands.command_line import help_of
from ser.errors import InputError
from ser.settings.all_sections import load_params
from ser.settings.overrides import (
    change_values,
    collect_settings,
    describe_files,
    format_value,
    present_value,
    with_settings,
)
from ser.storage.whole_files import written

PARAMS = Path("params.yaml")


def override(arguments: Sequence[str]) -> None:
    """Change params.yaml, or leave it as it is and say what is wrong; print what has changed."""
    params = load_params(PARAMS)
    settings = collect_settings(arguments)
    wanted = with_settings(params, settings, " ".join(arguments))
    with written(PARAMS) as temporary:
        temporary.write_text(change_values(PARAMS.read_text(), settings))
        if load_params(temporary) != wanted:
            raise InputError(f"{PARAMS} is laid out in an unusual way: write {', '.join(settings)} into it by hand")
    changes = 0
    for key, value in settings.items():
        before = present_value(params, key, str(PARAMS))
        if before != value:
            print(f"{key}: {_shown(before)} -> {_shown(value)}")
            changes += 1
    print(f"{PARAMS}: {changes} of {len(settings)} settings changed; `git restore {PARAMS}` goes back")


def list_overrides() -> str:
    """Return the names of the files with what they are for."""
    found = describe_files()
    width = max(map(len, found), default=0)
    return "overrides:\n" + "\n".join(f"  {name:<{width}}  {about}" for name, about in found.items())


def _shown(value: object) -> str:
    return str(value) if isinstance(value, dict) else format_value(value)


class _Listing(click.Command):
    """A command whose help ends with the files that there are when it is asked for."""

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        self.epilog = f"\b\n{list_overrides()}"
        super().format_epilog(context, formatter)


@click.command(cls=_Listing, help=help_of(__doc__))
@click.argument("settings", nargs=-1, required=True, metavar="NAME_OR_KEY=VALUE...")
def command(settings: tuple[str, ...]) -> None:
    override(settings)
