"""Saliency: ways to say which image tokens mattered, one small function each, the same for the page and the benchmark."""
