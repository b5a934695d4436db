"""Detectors of faces and people, all with one interface.

detections    what a detector finds in an image
detector      the interface
settings      what they look for, and the settings that all share
catalogue     all detectors by name
cascade_rcnn  the published detector of people
libraries     detectors of other libraries
weights       weights files: known, fetched, verified
coco          names of the classes of COCO
retinaface    the published detector of faces
devices       where detectors compute
torch_setup   what the detectors of people share
precision     verdicts of lower precision that are those of float32
batches       which images go through a network together
"""
