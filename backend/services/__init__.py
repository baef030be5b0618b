"""What one user may do with that user's own things. No method takes a user id."""
