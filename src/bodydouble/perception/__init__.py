"""Who is in the picture and what they do: detection, tracking, pose, face, hands, mattes."""
