"""What pictures are compared by: networks, their weights, extraction."""
