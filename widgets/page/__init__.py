"""The browser page around the panels: its link, its accessibility."""
