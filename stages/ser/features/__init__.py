"""Features of a clip: descriptors of its frames and statistics over them."""
