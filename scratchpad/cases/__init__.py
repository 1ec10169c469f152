"""Cases: what someone saw, kept as one versioned bundle that opens without a model."""
