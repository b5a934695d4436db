"""What became of all photographs: counts by cause at every stage.

counts     the funnel of a curation, which adds up
published  what another, such as the paper of PASS, says of its own funnel
words      what steps and causes are called
listing    as text and as JSON
page       as an HTML page, and as a figure
story      what happened to one photograph, and why
"""
