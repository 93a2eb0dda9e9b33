"""Decides what each group message is and which incident it belongs to."""
