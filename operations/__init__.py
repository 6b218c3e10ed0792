"""What an operator runs beside the product: back up, restore, move to another database.

A room of its own, since it alone knows both the backend's database and the gateway's store. It
changes rows only where nothing else runs on them.
"""
