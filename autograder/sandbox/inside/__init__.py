"""What runs on the isolated side: zygote, walls, shell, probes. Bound alone into the sandbox."""
