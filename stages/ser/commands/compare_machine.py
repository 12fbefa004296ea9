"""Say so if this machine's CPU is of another kind than the one that the results in reports/ were made on."""

import json
from pathlib import Path

import click

from ser.commands.command_line import help_of


def compare_machine() -> None:
    """Equal bytes are promised on one kind of CPU; another rounds a little differently."""
    from ser.compute.cpu_kind import describe_machine  # here: the help needs no linear algebra

    recorded = Path("reports/machine.json")
    there = json.loads(recorded.read_text()) if recorded.exists() else None
    here = describe_machine()
    if there is None or there == here:
        return
    differing = [
        f"{key}: {there.get(key)} there, {value} here" for key, value in here.items() if there.get(key) != value
    ]
    print("note: reports/ was made on another kind of CPU, so small differences are expected (a UAR may move by 0.02)")
    print("\n".join(f"  {line}" for line in differing))


@click.command(help=help_of(__doc__))
def command() -> None:
    compare_machine()
