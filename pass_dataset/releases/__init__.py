"""Releases: the published ones and those of the user's own, and which records of them are meant.

release        a release and its checksum file
selection      the records a builder stands for, and the name they are stored under
config_names   that name, written and read back
citation       how PASS is cited
licenses       the licences of images, by the names that metadata have for them
"""
