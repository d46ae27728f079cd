"""Pictures of samples, and one self-contained HTML page from a run folder. Imports neither torch nor training."""

from .comparison import write_comparison_page as write_comparison_page
from .page import write_report as write_report
from .pictures import grid_of_images as grid_of_images
from .pictures import scatter_of_points as scatter_of_points
from .portrait import phase_portrait as phase_portrait
from .portrait import phase_portraits as phase_portraits
from .study import write_study_page as write_study_page
