"""Each file here is a program: one peer, in a process and with threads of its own."""
