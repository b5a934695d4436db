"""The papers that go with a release: what it is, for people and programs.

facts       what they tell, counted from what was written
card        the dataset card, README.md
questions   the questions of a datasheet
answers     those that the ledger answers
datasheet   the datasheet, DATASHEET.md
machine     the description for programs, croissant.json
"""
