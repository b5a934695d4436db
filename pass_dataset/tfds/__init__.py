"""PASS for TensorFlow Datasets. Import `pass_dataset` and call `tfds.load('pass')`."""
