"""What single channels of a network see: where each fires, and which images excite it most."""
