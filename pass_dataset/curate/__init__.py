"""Making a release, as PASS was made: from metadata or one's own collection, step by step.

    select → fetch → filter → balance → … → draw → release

settings     the settings of a curation: one TOML, a table for each step
folder       the curation's folder: what is where in it
photographs  the columns that a photograph begins with: identity and credit
ledger       every photograph from beginning to end: what each step said of it

select       metadata read: which photographs there are
fetch        photographs into tars, a receipt and a cause for each
filter       passify over what was fetched, its verdicts into the ledger
ranking      what people should look at first
sampling     the order by a keyed hash; the cap, the classes, the sample, the draw
review       people look at photographs
audit        what a sample of their answers says
duplicates   within, and in other sets
alive        whether photographs are still public
release      tars, metadata, checksums, and the papers that go with them
funnel       counts by cause at every stage; the story of a photograph
program      all steps of one settings file
profiles     settings that ship

A step takes the photographs that the step before it let through, says of each why it stops there
(its cause) or that it goes on, and adds what it found. Nothing that was said is written again.
"""
