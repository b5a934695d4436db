"""`tfds.load('pass_mini')`: the mini release as a dataset of TFDS, with what TFDS shows of it."""
