"""Visual Scratchpad: which visual concepts a vision-language model saw, and which of them its answer used."""

__version__ = "0.1.0"
