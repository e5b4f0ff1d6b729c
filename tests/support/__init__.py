"""What the black-box tests share: the server as a process, clients, waiting."""
