"""Labelled images: what encoders are evaluated on.

labelled   images with their labels, one or several each
folders    folders of classes; Pascal VOC
tars       WebDataset's tars
libraries  what `datasets`, TFDS and torchvision have by name
opening    which of these a name means
"""
