"""The command lines: parse, call the library, print, exit code.

main           `pass-dataset`: the table of its commands, each of which has a module of its own
passify        `passify`, likewise
parser         the parser of such a table; imports the module of a command when that is asked for
command_line   what all commands share: logging, errors, exit codes
arguments      arguments that several commands have
executors      arguments that choose where shards are done
build_export   what the exports of all formats take and say
removal_list   the list that `remove` and `purge` are given

Nothing else imports this package. Modules of commands import the library inside their handlers
only, but for facts: help, and what is wrong with an argument, are told at once.
"""
