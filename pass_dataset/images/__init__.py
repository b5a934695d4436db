"""Image files: decoded to the pixels that the published code saw, or dropped for a named reason.

outcomes     what can become of a file
frames       what its headers say
jpeg, png    the two formats of nearly all files
containers   which format a file has; the others
exif         entries of EXIF data
depths       more than 8 bits a sample
orientation  which way up they say that it is
decoding     the pixels
"""
