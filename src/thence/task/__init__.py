"""Tasks on graphs beside recommendation: classes and values of nodes or graphs, and arcs that are hidden."""

from thence.task.arcs import ArcGraph as ArcGraph
from thence.task.arcs import ArcTask as ArcTask
from thence.task.config import TaskConfig as TaskConfig
from thence.task.keep import load_task as load_task
from thence.task.labels import LabelTask as LabelTask
