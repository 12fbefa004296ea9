"""Commands: `ser <command>`, what a person types, a module a command;
`command_line` lists them. Without the installed command: ``python -m ser.commands``.
"""
