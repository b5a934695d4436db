"""What a look at some images proves about all: plans, bounds, and how well people see.

plans      how many images to look at for a claim, and when to accept a lot
strata     a sample drawn by strata, weighted back to the whole
gold       known images mixed in: what a reviewer misses
agreement  two reviewers of the same images

The bounds themselves are `pass_dataset.pages.intervals`.
"""
