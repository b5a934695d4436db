"""The rankers that are here.

onnx      a network of ONNX, and images as one asks for them
opennsfw  nudity: the network that Yahoo published
nsfw      five classes: the network that the paper used
text      text, by a detector and a reader
vehicles  vehicles in images with such a text
patterns  which kind a text is
classes   classes, by classifiers of other libraries
"""
