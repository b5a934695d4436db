"""Settings that ship: how PASS was made, and the other splits of its paper.

profile    a profile, and the files beside it
"""
