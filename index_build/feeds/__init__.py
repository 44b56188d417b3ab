"""Other people's catalogues: files in, checked rows out, and a count of everything that could not be used."""
