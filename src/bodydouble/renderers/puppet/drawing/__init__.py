"""Drawing the character as textured meshes."""
