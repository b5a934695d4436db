"""Purging: images on removal lists deleted from archives, builds and exports.

targets    which folders have images, and what each of them is
"""
