"""What single units of a network do: activations, features of text, and statistics."""
