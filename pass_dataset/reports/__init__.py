"""What is told of a release: its numbers, its credits, its changes, its descriptions.

stats       numbers and pictures of a release, as a page and as JSON
credits     who took which photograph, as CSV, page and bibliography
diff        what changed between two releases
croissant   a description of the release in MLCommons' format
catalog     the page of a build in the catalog of TFDS
samples     how many images are drawn
"""
