"""Sparse autoencoders: load, encode, train, evaluate, index."""
