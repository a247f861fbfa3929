"""Who is in the picture and what they do: detection, tracking, pose, face, hands, mattes."""

from bodydouble.perception.pack import ModelPack, install_pack, locate_pack
from bodydouble.perception.people import find_people
from bodydouble.perception.perceive import Perception, load_perception, perceive
from bodydouble.perception.portrait import Portrait, analyse_portrait
from bodydouble.perception.track import PersonChoice, PersonTrack

__all__ = [
    "ModelPack",
    "Perception",
    "PersonChoice",
    "PersonTrack",
    "Portrait",
    "analyse_portrait",
    "find_people",
    "install_pack",
    "load_perception",
    "locate_pack",
    "perceive",
]
