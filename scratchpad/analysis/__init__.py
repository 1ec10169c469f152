"""Pure functions on records, and the causal experiments that ask a model again."""
