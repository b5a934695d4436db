"""A page about duplicates: counts, and pairs side by side.

selection  which pairs are shown
hidden     what a run of the filter found in images, to be blurred
document   the page, written
"""
