"""The ground: settings, names, errors, AWS clients, files. It imports nothing of the other rooms."""
