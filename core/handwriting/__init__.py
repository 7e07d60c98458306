"""Drawings that people keep, each with what it was meant to be."""
