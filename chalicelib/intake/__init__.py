"""How an image gets in: presigned uploads, safe fetching, checks."""
