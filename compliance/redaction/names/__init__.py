"""Names of persons; those of the staff stay."""
