"""What changed between two releases. `comparison` finds it, `listing` writes it, `cli` prints it."""
