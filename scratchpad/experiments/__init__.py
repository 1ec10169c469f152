"""What asks the model again: ablate, control, suffice, effects, diagnose. Every number is a real run."""
