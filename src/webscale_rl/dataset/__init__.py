"""What a run leaves behind: rows, the dataset and its card, what was dropped, and exports."""
