"""Print a script that lets a shell complete the commands and options of `ser`.

bash  echo 'eval "$(ser completion bash)"' >> ~/.bashrc
zsh   echo 'eval "$(ser completion zsh)"' >> ~/.zshrc
fish  ser completion fish > ~/.config/fish/completions/ser.fish

With `ser` in an environment of its own, activate that first, or write `command -v ser >/dev/null &&` before `eval`.
"""

import click
from click.shell_completion import get_completion_class

from ser.commands.command_line import help_of, ser


@click.command(help=help_of(__doc__))
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ser, {}, "ser", "_SER_COMPLETE").source())
