"""Pages of our own: the story of an execution, metrics, launching, and the frame around them."""
