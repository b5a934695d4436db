"""`passify`, the filter that made PASS: which images of a collection show people?

images      decode any image file to the pixels that the published code saw, or say why not
detectors   faces and people: boxes and scores
"""
