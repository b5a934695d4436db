"""Croissant: a release described for machines. `description` says what."""
