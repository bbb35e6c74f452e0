"""Places where pictures lie: folders, archives, arrays, databases, sets."""
