"""How files get here, whole and checked."""
