"""drawn."""
