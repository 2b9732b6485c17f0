"""What pages share: the visitor's choices, cached calls, pickers built from registries, job progress."""
