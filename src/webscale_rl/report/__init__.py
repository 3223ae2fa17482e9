"""What people read: the summary, the live view, the dataset card."""
