"""Labels of pictures, from files that list them or from folders."""
