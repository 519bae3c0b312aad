"""What commands print beside the lines of a run: lists, facts and documents, for people and for programs."""
