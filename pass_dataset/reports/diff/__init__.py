"""What changed between two releases.

comparison  two metadata CSVs compared
listing     the result as text, as a list of hashes, as JSON
"""
