"""What the talk tells of the next value: what was named, asked for, told or passed over."""
