"""Who is in the picture and what they do: detection, tracking, pose, face, hands, mattes."""

from bodydouble.perception.cast import Cast, Place, first_people
from bodydouble.perception.pack import ModelPack, install_pack, locate_pack
from bodydouble.perception.perceive import Perception, load_perception, perceive
from bodydouble.perception.portrait import Portrait, analyse_portrait
from bodydouble.perception.track import PersonChoice, PersonTrack

__all__ = [
    "Cast",
    "ModelPack",
    "Perception",
    "PersonChoice",
    "PersonTrack",
    "Place",
    "Portrait",
    "analyse_portrait",
    "first_people",
    "install_pack",
    "load_perception",
    "locate_pack",
    "perceive",
]
