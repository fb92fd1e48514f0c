"""The Glue program that turns the files of a manifest into cycle features."""
