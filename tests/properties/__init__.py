"""What holds for any input (hypothesis): each parser reads back what its writer wrote, and of
whatever else it is given says what is wrong, by an error of ours, soon, in little memory.

An input that once did harm stays as an `@example` above its test.
"""
