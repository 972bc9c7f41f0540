"""Who is told: destinations, the documents they get, and the courier that brings them."""
