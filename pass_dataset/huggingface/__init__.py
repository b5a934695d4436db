"""PASS for Hugging Face `datasets`: `datasets.load_dataset('pass')`.

features         columns, their old names, and a record as a row
configs          releases, parts and collections of the user's own, each cached apart
kept             data that was built before, without the images on removal lists
tables           records as Arrow tables, read straight from the tars
archive_builder  what the builders of `pass` and `pass_mini` share
builder          the builder of `pass`; `mini`: of `pass_mini`
purge            images deleted from what was built
format           its entry in the catalogue of formats
"""
