"""The steps that an image goes through: decoded, looked at for faces, then for people.

record      an image on its way
decoding    bytes to pixels, ahead of the detectors
detecting   one detector, on the images that need it
job         a shard to be done
execution   where and how fast
examiner    all steps on a shard
"""
