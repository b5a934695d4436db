"""Whether photographs are still public: asked before they are published, as YFCC100M's terms want.

settings  what is asked, and how politely
answers   what an answer says of a photograph
asking    the loop: so many a second of each host, no bodies
run       the step
"""
