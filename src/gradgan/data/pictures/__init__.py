"""Pictures from elsewhere: folders, archives, arrays, saved data sets -> bytes of one shape, decoded once and kept."""

from .cache import Decoded as Decoded
from .cache import decoded as decoded
from .source import WHOLE as WHOLE
from .sources import source_of as source_of
