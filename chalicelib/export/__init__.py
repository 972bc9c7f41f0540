"""What is taken away: images as CSV and JSON Lines, photos in a ZIP file, until one of them is erased."""
