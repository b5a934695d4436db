"""What a run ends with.

summary   how many images became what, and why
lists     kept.txt and dropped.parquet; lists for other thresholds
unmatched lines of opt-out lists that name no image
kinds     what the kept images can be exported as
export    the kept images themselves: copied, linked, or in new tars
"""
