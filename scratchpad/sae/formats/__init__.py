"""SAEs as other projects save them, a reader each: a path to what the file says, in SAELens' terms."""
