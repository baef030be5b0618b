"""What the client does, without input and output: each call is a generator of steps, which a driver takes."""
