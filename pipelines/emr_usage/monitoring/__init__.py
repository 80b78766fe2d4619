"""What is seen of a command from outside: a metrics file, notifications and pings. None of them changes an exit code."""
