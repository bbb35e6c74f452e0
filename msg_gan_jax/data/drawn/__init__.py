"""Pictures that are drawn from known distributions: heads, polygons, points."""
