"""Attribute rules: what texts say (attributes, people), and which of it does not go together."""
