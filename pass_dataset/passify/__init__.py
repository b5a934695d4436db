"""`passify`, the filter that made PASS. Not in this version: the command says so."""
