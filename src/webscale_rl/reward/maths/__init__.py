"""Formulas: from text to tokens (`latex`), to a tree (`expression`), to what it says (`meaning`), to whether that is
the same (`equality`). Nothing of it executes text; everything is bounded in size, depth and time."""
