"""State that outlives a cloud: saved to a folder and taken up again, in files that can be read."""
