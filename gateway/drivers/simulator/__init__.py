"""A pretend WhatsApp with pretend customers, which misbehaves on order."""
