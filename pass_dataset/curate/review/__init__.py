"""People look at images: everything is OK unless they mark it.

    images → queues → a page of 24 → marks, accepted → decisions → verdicts → ledger, lists, receipt

settings    what decides a review: flags, shares, gold
folder      the review's folder: what is where in it
images      the images of a review, from a curation, a run, archives or any source
listing     how that table is made
record      what a review is about, and its settings
reading     an image's bytes, by its number
decisions   the log of what reviewers did, append-only
seats       what each reviewer has said so far
queues      orders in which images are looked at
desk        what a reviewer gets next, and what she may do
thumbnails  small pictures, made ahead and kept in a bounded cache
guard       who gets in
server      the page and what it asks for, on this machine only
verdicts    what all decisions say of each image; lists, counts, receipts
step        the same in a curation's ledger
via, label_studio   projects of other tools, out and in
"""
