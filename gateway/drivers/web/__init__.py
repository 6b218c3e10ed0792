"""The driver `web`: WhatsApp Web (multi-device), with an ordinary number and a phone."""
