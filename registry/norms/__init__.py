"""The law as versioned data: readers of calendars, rule packs, the catalogue and code lists (rule 8)."""
