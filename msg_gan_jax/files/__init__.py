"""Files: written whole, kept, fetched, and read without trust."""
