"""The steps that are worth compiling, in C, and how they are built and found."""
