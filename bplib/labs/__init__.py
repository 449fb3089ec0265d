"""The labs: move a slider, and see what a network does.

`lab.show()` opens a lab, `lab.figure(...)` shows a still picture of it.
"""

from bplib.labs.backprop import XorTraining as XorTraining
from bplib.labs.checking import BugHeatmap as BugHeatmap
from bplib.labs.cures import CureRace as CureRace, GainLaw as GainLaw
from bplib.labs.depth import SingularValues as SingularValues
from bplib.labs.descent import BatchNoise as BatchNoise, LearningRate as LearningRate
from bplib.labs.doctor import doctor as doctor
from bplib.labs.graph import ChainRule as ChainRule
from bplib.labs.losses import SlowStart as SlowStart, SoftmaxLogits as SoftmaxLogits
from bplib.labs.network import (
    MysteryRun as MysteryRun,
    RealTraining as RealTraining,
    TrainingDiagnostics as TrainingDiagnostics,
)
from bplib.labs.network_pictures import FirstLayer as FirstLayer, Mistakes as Mistakes
from bplib.labs.neuron import Activations as Activations, Clothes as Clothes, Neuron as Neuron
from bplib.labs.slopes import StepSize as StepSize
from bplib.labs.softmax import AccuracyAgainstLoss as AccuracyAgainstLoss, SoftmaxJacobian as SoftmaxJacobian
from bplib.labs.vanishing import GradientMagnitudes as GradientMagnitudes

__all__ = [
    "AccuracyAgainstLoss",
    "Activations",
    "BatchNoise",
    "BugHeatmap",
    "ChainRule",
    "Clothes",
    "CureRace",
    "FirstLayer",
    "GainLaw",
    "GradientMagnitudes",
    "LearningRate",
    "Mistakes",
    "MysteryRun",
    "Neuron",
    "RealTraining",
    "SingularValues",
    "SlowStart",
    "SoftmaxJacobian",
    "SoftmaxLogits",
    "StepSize",
    "TrainingDiagnostics",
    "XorTraining",
]
