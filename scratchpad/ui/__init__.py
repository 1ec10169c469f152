"""The page: layout, handlers, static assets. No torch, no geometry."""
