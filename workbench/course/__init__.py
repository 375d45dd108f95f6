"""What a notebook needs besides its subject: frame, exercises, copies for students."""
