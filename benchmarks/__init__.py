"""How fast the product answers, on a database of a size that a shop reaches in a few years."""
