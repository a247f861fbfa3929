"""The character: its picture cut out, measured and divided into parts."""
