"""Certificates: a prover that argues from the log, and a checker that believes only the graph."""
