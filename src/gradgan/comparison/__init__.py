"""Honest comparisons: methods x data x seeds x budgets, in parallel and resumable, with intervals, ties and costs."""

from .compare import Comparison as Comparison
from .compare import compare as compare
from .compare import compare_plan as compare_plan
from .compare import expected as expected
from .plan import Plan as Plan
from .plan import make_plan as make_plan
from .plan import read_plan as read_plan
