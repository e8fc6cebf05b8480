"""Text to vectors: a small sentence encoder in NumPy, and items read from a table."""
