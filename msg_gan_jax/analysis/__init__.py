"""Looks at what there is: data sets, and what a GAN has learned of them."""
