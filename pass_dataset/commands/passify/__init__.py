"""The command `passify`: `main`, and a module for each group of its commands."""
