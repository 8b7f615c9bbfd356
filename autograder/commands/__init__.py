"""One module per subcommand, with its name; each has ``add_arguments(parser)`` and ``run(args) -> int``."""
