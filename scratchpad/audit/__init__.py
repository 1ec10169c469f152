"""A data set of questions: answered, explained, grouped by what its failures share, repaired without harm, foreseen."""
