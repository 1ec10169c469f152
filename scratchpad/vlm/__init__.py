"""Vision-language models: loading, one adapter per family, hooks, attention capture."""
