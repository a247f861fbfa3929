"""The finished frame: clean plate, light, the character, and what stays of the source."""
