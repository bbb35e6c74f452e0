"""What people read and look at: metric writers and picture grids."""
