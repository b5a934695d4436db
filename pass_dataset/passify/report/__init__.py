"""The report of a run: one HTML file that says what was done, and how far to trust it.

survey         one pass over the results: counts, histograms, and which images to show
histograms     scores, counted
folder_shares  verdicts by folder
selection      a few rows of many, chosen while they pass
gallery        the chosen images, read again from the source
thumbnails     an image made small, with what is found in it blurred
facts          what the run was told, with what, and how long it took
reasons        reasons in words, and the stages of the filter
figures        the plot of scores
exhibits       images in it
page           the HTML
document       from a run to its report

Its style and what draws its plots are in `pass_dataset.pages`.
"""
