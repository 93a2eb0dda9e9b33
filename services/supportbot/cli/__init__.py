"""The command line: `supportbot up`, `demo`, `replay`, `init`, `dlq`."""
