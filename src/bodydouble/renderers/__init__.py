"""What replaces the person: renderers that are blind to each other, behind one Protocol."""
