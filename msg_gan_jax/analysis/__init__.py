"""Looking into what was learned: walks, mixed styles, projected pictures."""
