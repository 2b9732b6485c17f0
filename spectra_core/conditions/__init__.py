"""Ways of choosing concentration sets for conditional generators."""
