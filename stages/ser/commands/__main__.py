"""``python -m ser.commands`` is `ser`, where that is not installed."""

from ser.commands.command_line import main

main()
