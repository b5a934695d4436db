"""Cascade R-CNN with ResNet-50 and FPN, the published detector of people, for inference.

The network is `Misc/cascade_mask_rcnn_R_50_FPN_3x` of detectron2's model zoo, without its mask
head, written with torch and torchvision's operations.

checkpoint   the model zoo's pickle, read without running what is in it
parameters   the names and shapes that the network needs of it
frames       image sizes: as given, as the network sees them, as they are padded
winograd     convolutions of 3×3 by Winograd's method
memory       memory for large maps, kept on the CPU
convolution  convolutions with their batch norm folded in
choice       which of them go by Winograd's method on this machine
backbone     ResNet-50 and the feature pyramid
boxes        deltas to boxes
proposals    the region proposal network
pooling      RoIAlign
heads        the three stages of the cascade
network      all of it: images in, detections out
detector     the detector behind the common interface
"""
