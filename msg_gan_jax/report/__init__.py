"""Numbers and pictures as what people look at: text, PNG, films, curves."""
