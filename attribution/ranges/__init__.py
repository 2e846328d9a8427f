"""Files of networks, read line by line for the lab tool. Pure."""
