"""HTTP shared by rooms: proxies, certificates, logins and failures of clients, and `serving/` for servers."""
