"""What a collection is made of, in figures: `pass-dataset stats`.

    from pass_dataset.archives.records import PassArchive
    from pass_dataset.reports.stats import collect_stats, write_page
    stats = collect_stats(PassArchive("/data/pass"))
    write_page(stats, "pass.html")

collect         all figures of an archive, from its index and some of its images
numbers         how numbers are spread
dates           when the images were taken
places          where, in cells of one degree
photographers   how many images each has
headers         sizes and cameras, read from the images' headers
cameras         what an EXIF block says of the camera
shapes          sizes and cameras, counted
document        the figures as files: JSON, and a page
page            the page, by its template page.html, and those of its sections
sections        rows and plots of these
plots           its plots and map
"""

from pass_dataset.reports.stats.collect import Stats, collect_stats
from pass_dataset.reports.stats.document import JSON_SCHEMA, as_json, write_json, write_page

__all__ = [
    "JSON_SCHEMA",
    "Stats",
    "as_json",
    "collect_stats",
    "write_json",
    "write_page",
]
