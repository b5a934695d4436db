"""A release, written from a curation: tars, metadata, checksums, and the papers that go with it.

settings   what a release is called, and in how many tars it comes
contents   which photographs are in it, and where
tars       the tars, whose bytes depend on what is in them alone
table      the metadata CSV, with the full credit
record     what is written already, so that it is continued
papers     card, datasheet, description and figure
writing    all of it: written, read back, and verified
"""
