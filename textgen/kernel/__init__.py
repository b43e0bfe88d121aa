"""The loops that are worth compiling, in C; how they are built and loaded."""
