"""A parametric body: laid on a picture's landmarks, it says which part and which depth each pixel has."""
