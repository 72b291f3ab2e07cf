"""Diagnosis of a temporal action detector, after DETAD (Alwassel et al., ECCV 2018)."""

from DETAD.diagnosis import diagnose

__all__ = ["diagnose"]
