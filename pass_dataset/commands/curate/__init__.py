"""The command `pass-curate`: `main` has the table of its commands, each of which has its module."""
