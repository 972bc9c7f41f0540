"""Messages and records as version 1 writes them, for every later version to read."""
