"""Photographs looked at: those that cannot be decoded are out, then those that show people.

Two steps of the ledger come of one run of `passify` over the fetched tars: `sound` and `filter`.

settings  what decides them
opt_outs  photographs that are not to be looked at
fetched   the photographs in the tars, as a source of images
verdicts  what the run found of the photographs of a shard
run       both steps
"""
