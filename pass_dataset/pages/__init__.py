"""What the HTML pages of this package share.

template   templates found and filled in
plots      plots as SVG
picture    pictures that are within a page
words      numbers and names as people read them
intervals  how sure a share of a sample is

Templates, for people who change how pages look:

layout.html   the frame of all pages
style.css     their style; each page's own comes after it
pieces.html   macros: tables, pictures, links
plot.html, bar.html   the plots
"""
