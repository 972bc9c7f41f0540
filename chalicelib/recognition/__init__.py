"""What is on an image: recognisers behind one Protocol, and the label hierarchy."""
