"""Making a release, as PASS was made: from metadata or one's own collection, step by step.

    select → fetch → filter → balance → … → draw → release

settings     the settings of a curation: one TOML, a table for each step
folder       the curation's folder: what is where in it
photographs  the columns that a photograph begins with: identity and credit
ledger       every photograph from beginning to end: what each step said of it

A step takes the photographs that the step before it let through, says of each why it stops there
(its cause) or that it goes on, and adds what it found. Nothing that was said is written again.
"""
