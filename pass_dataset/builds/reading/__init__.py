"""Builds read back, of any library, and compared with the archives they were made from.

comparison       every record compared, by hash, SHA-256 and metadata
expected_images  what the archives have
export           an export read back: what those of all formats have in common
"""
