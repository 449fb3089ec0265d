"""For the teacher: judges submissions outside the learner's process."""
