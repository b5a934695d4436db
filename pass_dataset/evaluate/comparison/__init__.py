"""Two encoders compared: differences with their intervals, beside the published numbers.

bootstrap  the difference of two outcomes, and how far chance alone may move it
published  the numbers of the paper's tables
comparing  the comparison itself: sets, features, protocols, differences, sentences
export     it as JSON and as text
page       it as HTML
"""
