"""What TFDS has stored: builds found and read record by record without TensorFlow, and verified."""
