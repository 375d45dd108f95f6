"""Figures, rasters, colours: knows no panel."""
