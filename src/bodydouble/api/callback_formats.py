"""The callback formats of all dialects. Workers import this module, so it imports nothing of the web framework."""

from collections.abc import Mapping

from bodydouble.api.crun.callback import CrunCallback
from bodydouble.api.fal.callback import FalCallback
from bodydouble.api.kie.callback import KieCallback
from bodydouble.api.replicate.callback import ReplicateCallback
from bodydouble.api.wavespeed.callback import WavespeedCallback
from bodydouble.service.callbacks import CallbackFormat
from bodydouble.tasks.dialect import DialectName

CALLBACK_FORMATS: Mapping[DialectName, CallbackFormat] = {
    DialectName.CRUN: CrunCallback(),
    DialectName.FAL: FalCallback(),
    DialectName.REPLICATE: ReplicateCallback(),
    DialectName.KIE: KieCallback(),
    DialectName.WAVESPEED: WavespeedCallback(),
}
