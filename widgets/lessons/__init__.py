"""The words of each panel: its question, what to do and to see, presets, and challenges; one file a panel."""
