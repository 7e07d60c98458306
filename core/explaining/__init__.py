"""Why a network answers as it does: which places of a picture speak for a class."""
