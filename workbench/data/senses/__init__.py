"""What turns pictures and sound into spikes."""
