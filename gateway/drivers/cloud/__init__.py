"""WhatsApp through Meta's Cloud API: sends by HTTPS, hears by a webhook."""
