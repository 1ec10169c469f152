"""Needle in a Patched Haystack: which saliency map can be trusted, on which model (Zimmermann & Boussard, 2025)."""
