"""Differential fuzzing: random scope programs, run with and without watching, against rules that share no code."""
