"""What the user takes home: the deliverable's files, and the numbers behind its report."""
