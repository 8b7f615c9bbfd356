"""What people open: feedback pages, the class report, hints, the student kit."""
