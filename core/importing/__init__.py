"""From what a person has, such as folders, ZIPs and tables, to a dataset in the workspace."""
