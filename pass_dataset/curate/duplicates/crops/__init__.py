"""Parts of photographs, turned ones, ones with something over them: what no short hash tells.

weights      the file of the network, and what tells it from others
network      SSCD, which describes an image by 512 numbers that stay when it is cut or turned
rows         descriptors as a matrix, and as a column of a file
descriptors  those of collections, each made once, and in index files
describing   how they are made, wherever
search       all pairs of descriptors that are near, exactly; near_pairs gathers them
placing      where one image lies in another, by what both show
agreeing     whether two images agree where one lies in the other; confirming asks it of pairs
"""
