"""Reading a network: one forward pass in which every operation passes the labels of its channels on."""
