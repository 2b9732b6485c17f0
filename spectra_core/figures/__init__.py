"""Figures from tidy tables; they never compute."""
