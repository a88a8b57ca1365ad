"""The sentences of an article on weight normalisation, each decided by what runs showed."""
