"""What we know: image records, the label index and its counts."""
