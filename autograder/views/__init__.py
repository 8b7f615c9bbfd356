"""Views: pure functions of the marks. Nothing here changes a mark."""
