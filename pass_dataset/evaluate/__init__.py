"""Pretrained encoders, and what they are worth: two of them compared while they are frozen.

    encoder = models.load("moco_v2_200ep")       # a torchvision ResNet-50 that returns features

models      the published checkpoints; any checkpoint read, whole or not at all
data        labelled images: folders, and what libraries have by name
features    images through an encoder, once: a cache keyed by content
protocols   what is done with features: k-means, kNN, linear layers, support vector machines
classes     which classes a classifier sees in a collection
comparison  two encoders: differences with their intervals, beside the published numbers

Importing this imports no PyTorch.
"""
