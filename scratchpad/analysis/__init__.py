"""Pure functions on records: weigh, rank, heatmap, suggest, edit, controls, compare, verdict. Nothing here asks a model."""
