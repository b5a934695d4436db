"""The command lines: parse, call the library, print, exit code.

main           `pass-dataset`; one module for each of its larger commands
passify        `passify`
command_line   what all commands share: logging, errors, exit codes
arguments      arguments that several commands have
completion     what shells complete both by

Nothing else imports this package.
"""
