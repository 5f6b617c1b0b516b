"""Who may show what to whom: pure rules over signed documents, with no network and no database."""
