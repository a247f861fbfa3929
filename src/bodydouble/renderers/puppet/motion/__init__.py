"""The actor's movement, and where it puts the character's parts."""
