"""Where images come from: any collection, listed in bounded memory, read by shards.

names           a file's name as a line of text, and back
path_forms      paths of images in one form, to be compared
removed         images of a source that are on removal lists
source          the interface: items, and a reader of their bytes
opening         which source a path is
folder_tree     a folder of files
tar_files       tars and WebDataset shards
parquet_files   Parquet with a column of images
row_names       names of rows of tables; row_windows: rows read in stretches
list_file       a list of files
pass_archive    a PASS archive folder
saved_dataset   a Hugging Face dataset saved to disk
"""
