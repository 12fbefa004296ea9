"""Commands: what a person types, a module a command;
``python -m ser.commands.predict --help`` says what one does.
"""
