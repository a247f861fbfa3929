"""People in a picture or video and what they do: detection, tracking, pose, face, hands, mattes."""

from bodydouble.perception.pack import ModelPack, install_pack, locate_pack
from bodydouble.perception.perceive import Perception, load_perception, perceive
from bodydouble.perception.portrait import Portrait, analyse_portrait
from bodydouble.perception.track import PersonChoice, PersonTrack
from bodydouble.perception.video_people import PersonPosition, VideoPeople, first_people

__all__ = [
    "ModelPack",
    "Perception",
    "PersonChoice",
    "PersonPosition",
    "PersonTrack",
    "Portrait",
    "VideoPeople",
    "analyse_portrait",
    "first_people",
    "install_pack",
    "load_perception",
    "locate_pack",
    "perceive",
]
