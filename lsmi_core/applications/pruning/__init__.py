"""What leaving samples out costs, and who should leave."""
