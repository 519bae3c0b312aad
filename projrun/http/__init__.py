"""What sources and tracking both stand on: proxies, certificates, logins, and failures of HTTP."""
