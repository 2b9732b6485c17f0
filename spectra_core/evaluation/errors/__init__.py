"""How far predicted concentrations lie from their references, and what a difference is worth."""
