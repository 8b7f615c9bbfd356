"""Marks to other systems: reads records, writes what the views make of them."""
