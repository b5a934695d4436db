"""The steps that an image goes through: decoded, looked at for faces, then for people.

record      an image on its way
decoding    bytes to pixels, ahead of the detectors
detecting   one detector, on the images that need it
culprits    images that took a process down, or hold one up
job         a shard to be done
loading     how detectors are loaded
examiner    all steps on a shard
execution   that as a kind of work, for executors; how fast
"""
