"""What the HTML pages of this package share; their text and tables are made by `markup`.

template   a page filled in, with the style that all have
plots      plots as SVG
"""
