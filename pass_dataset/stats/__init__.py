"""What a collection is made of, in figures: `pass-dataset stats`.

    from pass_dataset.records import PassArchive
    from pass_dataset.stats.collect import collect_stats
    stats = collect_stats(PassArchive("/data/pass"))

collect         all figures of an archive, from its index and some of its images
numbers         how numbers are spread
dates           when the images were taken
places          where, in cells of one degree
photographers   how many images each has
headers         sizes and cameras, read from the images' headers
cameras         what an EXIF block says of the camera
shapes          sizes and cameras, counted
document        the figures as JSON and as a page
page            the page
plots           its plots and map
"""
