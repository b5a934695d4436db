"""Detectors of other libraries behind the common interface: detectron2, transformers, torchvision.

detectron2    the published detector of people through the library that made it, as the reference
transformers  any object detector of transformers with a class of people
torchvision   any object detector of torchvision with one
labels        which of a model's classes are people
boxes         what they find, as `Detections`
"""
