"""Figures from tidy tables; they never compute."""

from spectra_core.figures.theme import (
    ROLE_COLOUR,
    ROLE_DASH,
    ROLE_SYMBOL,
    alt_text,
    styled,
    target_colours,
    transparent,
)

__all__ = [
    "ROLE_COLOUR",
    "ROLE_DASH",
    "ROLE_SYMBOL",
    "alt_text",
    "styled",
    "target_colours",
    "transparent",
]
