"""What to ask next, and how far the answers prove the tables complete."""
