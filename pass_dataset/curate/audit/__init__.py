"""What a look at some images proves about all: plans, bounds, and how well people see.

plans      how many images to look at for a claim, and when to accept a lot
finite     how many bad images a set may have
strata     a sample drawn by strata, weighted back to the whole
gold       known images mixed in: what a reviewer misses
agreement  two reviewers of the same images

Bounds of shares are `pass_dataset.pages.intervals`.
"""
