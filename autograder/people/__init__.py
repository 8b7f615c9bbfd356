"""What people mark: the answers in words, the scheme of a part, groups of answers, agreement. Pure."""
