"""Questions about scenarios: what if, which mirror, where does it tip, and how does it depend on its settings."""
