"""Conditions, symptoms, procedures and drugs."""
