"""Files: written whole, made to last, hashed; and where they are kept.

whole          written so that no name stands for half of a file, and made to last
parts          what a file is called until then, and what killed processes left
cache          the user's cache folder
hashing        read in blocks, SHA-256
inside         names that manifests tell, which lead nowhere else
arrow          Arrow tables saved, mapped back unharmed, memory given back
checked_json   what programs write for programs, with a checksum
"""
