"""The one training engine: networks of one shape trained together."""
