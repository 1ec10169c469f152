"""The emoji world, and the recipe of the demo VLM and its SAEs. No other part of the package imports this one."""
