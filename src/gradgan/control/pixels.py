"""The rule of thumb for a starting point: the weight proportional to the pixels of a sample over the batch."""

from .controller import CONTROLLERS, Controller


@CONTROLLERS.add(paper="arXiv:2006.06676", wants_held_out=False)
def pixels_per_batch() -> Controller:
    """A fixed weight that is multiplied by pixels / batch: r1.weight=0.0002 is StyleGAN2-ADA's own choice.

        weight x height x width / batch

    The rule of the automatic configuration in the code of Karras et al. 2020 (arXiv:2006.06676): gamma =
    0.0002 x resolution² / batch. For images only.
    """
    return Controller("pixels_per_batch", None, lambda seen: 0.0, start="pixels_per_batch")
