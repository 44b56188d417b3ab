"""EcomScript: a typed shopping goal becomes an ordered plan whose steps carry real catalogue products."""
