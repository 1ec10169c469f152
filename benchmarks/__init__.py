"""Side-by-side measurements: both sides in one run, ratios printed."""
