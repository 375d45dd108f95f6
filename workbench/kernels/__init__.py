"""The inner loops: whatever computes a number faster that another file here computes plainly."""
