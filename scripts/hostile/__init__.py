"""Inputs that are nearly valid, and what each reader does with them."""
