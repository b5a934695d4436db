"""`pass-curate review`: people look at images, on a page of this machine."""
